internal import Glibc

/// A penalty for deviating from a reference policy, estimated from the realised tokens. With d = log-prob − reference:
/// k1 = d, k2 = d²/2, k3 = e^(−d) + d − 1 (Schulman, "Approximating KL Divergence", 2020).
///
/// As in verl, only k3 has clamps: the log-ratio is kept to ±20, the value to at most 10. The gradient passes at a
/// limit and is 0 beyond it. `k3+` has the value of k3 and the gradient d of k2, even where a clamp of the value is
/// active.
/// Source: verl `kl_penalty`, which calls k3 low_var_kl and k2 mse.
package struct ReferenceKL: Sendable, Equatable {
    package enum Estimator: String, Sendable, CaseIterable {
        case k1
        case k2
        case k3
        case k3Plus = "k3+"
    }

    package var estimator: Estimator
    /// The factor of `kl` in the objective. With 0, `kl` is only reported.
    package var coefficient: Double

    package init(estimator: Estimator = .k3, coefficient: Double = 0) {
        self.estimator = estimator
        self.coefficient = coefficient
    }

    private static let inputLimit = 20.0
    private static let resultLimit = 10.0

    /// - Parameter difference: log-prob − reference.
    /// - Returns: the value, and its slope with respect to the log-prob.
    @inline(__always)
    func estimate(_ difference: Double) -> (value: Double, slope: Double) {
        switch estimator {
        case .k1: return (difference, 1)
        case .k2: return (difference * difference / 2, difference)
        case .k3: return k3(difference)
        case .k3Plus: return (k3(difference).value, difference)
        }
    }

    @inline(__always)
    private func k3(_ difference: Double) -> (value: Double, slope: Double) {
        let limit = ReferenceKL.inputLimit
        let bounded = difference < -limit ? -limit : difference > limit ? limit : difference
        let growth = expm1(-bounded)
        // Where the two nearly cancel, rounding may leave less than 0.
        let value = growth + bounded < 0 ? 0 : growth + bounded
        if value > ReferenceKL.resultLimit { return (ReferenceKL.resultLimit, 0) }
        return (value, bounded == difference ? -growth : 0)
    }

    /// Returns the penalty and the gradient of every token.
    /// - Parameter weights: [B], the weight of a token's penalty in the aggregate, by sequence.
    /// - Complexity: O(N)
    func tokens(of batch: PolicyBatch, weights: [Double]) throws(PolicyLossError) -> TokenLosses {
        guard let reference = batch.referenceLogProbabilities else {
            preconditionFailure("a penalty needs the reference's log-probs")
        }
        return try batch.tokenLosses {
            (sequence, tokens, losses, gradient) throws(PolicyLossError) in
            let mask = batch.responseMask.span
            let new = batch.logProbabilities.span
            let reference = reference.span
            for (place, token) in tokens.enumerated() where mask[token] == 1 {
                guard new[token].isFinite else { throw .notFinite(.logProbabilities, token: token) }
                guard reference[token].isFinite else {
                    throw .notFinite(.referenceLogProbabilities, token: token)
                }
                let (value, slope) = estimate(new[token] - reference[token])
                guard value.isFinite, (slope * weights[sequence]).isFinite else {
                    throw .overflow(.kl, token: token)
                }
                losses[place] = value
                gradient[place] = slope * weights[sequence]
            }
            return 0
        }
    }
}
