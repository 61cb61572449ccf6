internal import Glibc

/// The strength of a scheduled perturbation at a point of the training, as NoisyRollout computes it, with p = step /
/// total steps, coefficient c and middle m:
///
/// | decay | strength |
/// |---|---|
/// | `sigmoid` | 1 − 1 / (1 + e^(−c (p − m / total steps))) |
/// | `linear` | 1 − p |
/// | `power` | 1 − p^c |
/// | `exp` | 1 − c^(total steps − step) |
package struct StrengthSchedule: Sendable, Equatable {
    package enum Decay: Sendable, Equatable {
        case sigmoid(coefficient: Double, middle: Double)
        case linear
        case power(coefficient: Double)
        case exponential(base: Double)
    }

    package let decay: Decay
    /// 0 … `totalSteps`.
    package let step: Int
    package let totalSteps: Int

    /// Nil unless 0 ≤ step ≤ totalSteps, 1 ≤ totalSteps, and the coefficient keeps the strength in 0 … 1: above 0 for
    /// `power`, 0 … 1 for `exponential`, finite everywhere.
    package init?(_ decay: Decay, step: Int, totalSteps: Int) {
        guard totalSteps >= 1, (0...totalSteps).contains(step) else { return nil }
        switch decay {
        case .sigmoid(let coefficient, let middle):
            guard coefficient.isFinite, middle.isFinite else { return nil }
        case .linear: break
        case .power(let coefficient): guard coefficient.isFinite, coefficient > 0 else { return nil }
        case .exponential(let base): guard (0...1).contains(base) else { return nil }
        }
        self.decay = decay
        self.step = step
        self.totalSteps = totalSteps
    }

    /// The strength, 0 … 1, in Double, operation for operation as in Python.
    package var strength: Double {
        let progress = Double(step) / Double(totalSteps)
        switch decay {
        case .sigmoid(let coefficient, let middle):
            return 1 - (1 / (1 + exp(-(coefficient * (progress - middle / Double(totalSteps))))))
        case .linear: return 1 - progress
        case .power(let coefficient): return 1 - pow(progress, coefficient)
        case .exponential(let base): return 1 - pow(base, Double(totalSteps - step))
        }
    }
}
