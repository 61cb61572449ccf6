import ContrastiveLoss
import Glibc

/// One token's loss in the obvious way, as estimates from the realised token, clamps, terms and shapes are written down.
struct TokenTwin {
    let contrast: Double
    let loss: Double
    let isClamped: Bool
    /// ∂loss/∂(log-probability) for each view.
    let slopes: PerView<Double>
    /// How large what was summed is: a sum's errors stand beside that, not beside the sum.
    let size: Double
    let slopeSize: Double

    init(
        _ terms: [Term], _ estimator: Estimator, _ clamps: Clamps, _ shape: TokenShape,
        _ logProbabilities: PerView<Double>
    ) {
        var contrast = 0.0
        var size = 0.0
        var slopeSize = 0.0
        var isClamped = false
        var steps = PerView(repeating: 0.0)
        for term in terms {
            let anchor = logProbabilities[term.pair.anchor]
            let reference = logProbabilities[term.pair.reference]
            let found = estimator.estimate(anchor: anchor, reference: reference, clamps: clamps)
            contrast += term.weight * found.value
            size += abs(term.weight) * max(abs(found.value), abs(anchor - reference))
            slopeSize += abs(term.weight * found.slope)
            isClamped = isClamped || found.isClamped
            steps[term.pair.anchor] += term.weight * found.slope
            steps[term.pair.reference] -= term.weight * found.slope
        }
        let (value, slope) = TokenTwin.shaped(contrast, shape)
        self.contrast = contrast
        self.isClamped = isClamped
        self.size = size
        // 0 · ∞ is no size.
        self.slopeSize = slope == 0 ? 0 : slopeSize * slope
        loss = value
        slopes = PerView { slope * steps[$0] }
    }

    static func shaped(_ contrast: Double, _ shape: TokenShape) -> (value: Double, slope: Double) {
        if shape.form == .margin { return (contrast, 1) }
        let x = contrast / shape.tau
        return (max(x, 0) + log1p(exp(-abs(x))), (x >= 0 ? 1 : exp(x)) / (1 + exp(-abs(x))) / shape.tau)
    }
}

extension Estimator {
    struct Estimate {
        var value: Double
        var slope: Double
        var isClamped = false
    }

    func estimate(anchor: Double, reference: Double, clamps: Clamps) -> Estimate {
        var difference = anchor - reference
        var isClamped = false
        if let limit = clamps.input, difference.magnitude > limit {
            difference = difference > 0 ? limit : -limit
            isClamped = true
        }
        var estimate = unclamped(difference)
        if isClamped { estimate.slope = 0 }
        if let limit = clamps.result, estimate.value.magnitude > limit {
            estimate.value = estimate.value > 0 ? limit : -limit
            estimate.slope = 0
            isClamped = true
        }
        estimate.isClamped = isClamped
        return estimate
    }

    private func unclamped(_ difference: Double) -> Estimate {
        switch self {
        case .k1: return Estimate(value: difference, slope: 1)
        case .abs:
            return Estimate(
                value: difference.magnitude, slope: difference == 0 ? 0 : (difference > 0 ? 1 : -1))
        case .k2: return Estimate(value: difference * difference / 2, slope: difference)
        case .k3:
            let growth = expm1(-difference)
            return Estimate(value: max(0, growth + difference), slope: -growth)
        case .symmetric:
            // cosh d − 1 = 2 sinh²(d/2), which doesn't cancel.
            let half = sinh(difference / 2)
            return Estimate(value: 2 * half * half, slope: sinh(difference))
        case .fullKL, .jsd, .jeffreys: preconditionFailure("\(rawValue) is not an estimate from one token")
        }
    }
}
