import Glibc
import PolicyObjective

/// One token's loss and slope as the formulas have them, branch by branch.
struct PolicyTwin {
    let loss: Double
    let slope: Double
    let isClipped: Bool

    /// - Parameter logRatio: before clamps; of the token or the mean of its sequence.
    init(_ surrogate: ClippedSurrogate, logRatio: Double, advantage: Double) {
        let bounds = surrogate.level == .token ? -20.0...20 : -Double.infinity...10
        let isBeyond = !bounds.contains(logRatio)
        let ratio = exp(min(max(logRatio, bounds.lowerBound), bounds.upperBound))
        let window = (1 - surrogate.clipLow)...(1 + surrogate.clipHigh)
        // Where the clip acts against the advantage's sign, the unclipped branch is the larger.
        let isAbove = ratio > window.upperBound && advantage > 0
        let isBelow = ratio < window.lowerBound && advantage < 0
        isClipped = isAbove || isBelow
        let held = isAbove ? window.upperBound : isBelow ? window.lowerBound : ratio
        if let c = surrogate.dualClip, advantage < 0, held > c {
            loss = -advantage * c
            slope = 0
        } else {
            loss = -advantage * held
            slope = isClipped || isBeyond ? 0 : -advantage * ratio
        }
    }
}

/// A penalty from its definition, without care for rounding.
func twin(_ estimator: ReferenceKL.Estimator, _ d: Double) -> (value: Double, slope: Double) {
    let x = min(max(-d, -20), 20)
    let k3 = min(exp(x) - x - 1, 10)
    switch estimator {
    case .k1: return (d, 1)
    case .k2: return (d * d / 2, d)
    case .k3: return (k3, k3 >= 10 || abs(d) > 20 ? 0 : 1 - exp(x))
    case .k3Plus: return (k3, d)
    }
}
