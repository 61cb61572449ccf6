import Glibc

/// How far an anchor distribution is from a reference, D(anchor, reference), in nats.
///
/// k1, abs, k2 and k3 are estimates from the realised token alone (Schulman, "Approximating KL Divergence", 2020; verl's
/// `kl_penalty` names); full_kl and jsd are exact and need logits.
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

extension Estimator {
    /// D from the log-probabilities of the realised token.
    ///
    /// With d = anchor − reference: k1 = d, abs = |d|, k2 = d²/2, k3 = e^{−d} + d − 1. The slope of abs at 0 is 0.
    /// - Complexity: O(1); one exponential for k3.
    package func estimate(anchor: Double, reference: Double, clamps: Clamps) -> Estimate {
        var difference = anchor - reference
        var isClamped = false
        var passes = 1.0
        if let limit = clamps.input, difference.magnitude > limit {
            difference = difference > 0 ? limit : -limit
            isClamped = true
            passes = 0
        }
        var estimate: Estimate
        switch self {
        case .k1: estimate = Estimate(value: difference, slope: 1, isClamped: isClamped)
        case .abs:
            let sign = difference == 0 ? 0 : (difference > 0 ? 1.0 : -1.0)
            estimate = Estimate(value: difference.magnitude, slope: sign, isClamped: isClamped)
        case .k2:
            estimate = Estimate(value: difference * difference / 2, slope: difference, isClamped: isClamped)
        case .k3:
            // expm1 keeps the difference of nearly equal numbers exact, where they are; elsewhere exp is as good and
            // faster. e^{−d} may overflow to infinity unclamped.
            let growth = difference.magnitude < 0.5 ? expm1(-difference) : exp(-difference) - 1
            estimate = Estimate(value: max(0, growth + difference), slope: -growth, isClamped: isClamped)
        case .fullKL, .jsd: preconditionFailure("\(rawValue) is not an estimate from one token")
        }
        estimate.slope *= passes
        if let limit = clamps.result, estimate.value.magnitude > limit {
            estimate.value = estimate.value > 0 ? limit : -limit
            estimate.slope = 0
            estimate.isClamped = true
        }
        return estimate
    }
}
