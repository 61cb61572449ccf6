/// How far an anchor distribution is from a reference, D(anchor, reference), in nats.
///
/// k1, abs, k2 and k3 are estimates from the realised token alone (Schulman, "Approximating KL Divergence", 2020; verl's
/// `kl_penalty` names); full_kl and jsd are exact and need logits. With d = log-probability under the anchor − under the
/// reference: k1 = d, abs = |d|, k2 = d²/2, k3 = e^{−d} + d − 1. The slope of abs at 0 is 0.
package enum Estimator: String, Sendable, CaseIterable {
    case k1
    case abs
    case k2
    case k3
    case fullKL = "full_kl"
    case jsd

    package var needsVocabulary: Bool { self == .fullKL || self == .jsd }
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
}

/// An estimate and its slopes.
package struct Estimate: Sendable, Equatable {
    package var value: Double
    /// ∂D/∂(log-prob of the anchor); the slope for the reference is its negative, since D depends on the difference.
    package var slope: Double
    package var isClamped: Bool
}
