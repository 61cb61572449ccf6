package import TokenDistribution

/// How far an anchor distribution is from a reference, D(anchor ‖ reference), in nats.
///
/// Some are estimates from the realised token alone (Schulman, "Approximating KL Divergence", 2020; verl's `kl_penalty`
/// names), the others exact over the vocabulary, for which they need logits. With d = log-probability under the anchor −
/// under the reference:
package enum Estimator: String, Sendable, CaseIterable {
    /// d
    case k1
    /// |d|; its slope at 0 is 0.
    case abs
    /// d²/2
    case k2
    /// e^{−d} + d − 1
    case k3
    /// cosh d − 1. Its expectation under the anchor is half the χ² divergence, not the full-vocabulary Jeffreys.
    case symmetric
    /// KL(anchor ‖ reference)
    case fullKL = "full_kl"
    /// Jensen–Shannon
    case jsd
    /// ½ (KL(anchor ‖ reference) + KL(reference ‖ anchor))
    case jeffreys

    /// What is computed over the vocabulary; nil for an estimate from the realised token.
    package var divergence: Divergence? {
        switch self {
        case .k1, .abs, .k2, .k3, .symmetric: nil
        case .fullKL: .kullbackLeibler
        case .jsd: .jensenShannon
        case .jeffreys: .jeffreys
        }
    }

    package var needsVocabulary: Bool { divergence != nil }
}

/// Limits that the reference implementations put on the estimators; nil is no limit. A limit that is active has
/// gradient 0, as torch.clamp has; at exactly the limit the gradient passes.
package struct Clamps: Sendable, Equatable {
    /// On the log-ratio, to ±input.
    package var input: Double?
    /// On the estimate, to ±result.
    package var result: Double?

    package init(input: Double? = nil, result: Double? = nil) {
        self.input = input
        self.result = result
    }

    /// A divergence over the vocabulary with the result's clamp: slope 1 where gradient passes, 0 where it acts.
    func clamped(_ exact: Double) -> (value: Double, slope: Double) {
        guard let result, exact > result else { return (exact, 1) }
        return (result, 0)
    }
}
