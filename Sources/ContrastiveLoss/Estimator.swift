package import TokenDistribution

/// The divergence of an anchor distribution from a reference, D(anchor ‖ reference), in nats.
///
/// Some cases estimate it from the realised token alone (Schulman, "Approximating KL Divergence", 2020; the names are
/// those of verl's `kl_penalty`). The others are exact over the vocabulary and need logits. Below, d is the
/// log-probability under the anchor minus the log-probability under the reference.
package enum Estimator: String, Sendable, CaseIterable {
    /// d
    case k1
    /// |d|. Its slope at 0 is 0.
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

    /// The divergence over the vocabulary; nil for estimates from the realised token.
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

/// The limits that the reference implementations put on the estimators; nil for no limit. As with torch.clamp, the
/// gradient is 0 beyond a limit and passes at exactly the limit.
package struct Clamps: Sendable, Equatable {
    /// The log-ratio is clamped to ±input.
    package var input: Double?
    /// The estimate is clamped to ±result.
    package var result: Double?

    package init(input: Double? = nil, result: Double? = nil) {
        self.input = input
        self.result = result
    }

    /// Clamps a divergence over the vocabulary. The slope is 1 where the gradient passes and 0 where the clamp is
    /// active.
    func clamped(_ exact: Double) -> (value: Double, slope: Double) {
        guard let result, exact > result else { return (exact, 1) }
        return (result, 0)
    }
}
