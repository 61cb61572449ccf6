import ContrastiveLoss
import Glibc

/// One token's loss in the obvious way, as the sampled-token estimators, clamps and terms are written down.
struct TokenTwin {
    let margin: Double
    let loss: Double
    let isClamped: Bool
    /// ∂loss/∂(log-probability) for each view.
    let slopes: PerView<Double>

    struct Estimate {
        var value: Double
        var slope: Double
        var isClamped: Bool
    }

    init(
        _ estimator: Estimator, _ clamps: Clamps, _ term: ContrastiveTerm, anchor: Double, near: Double,
        far: Double
    ) {
        let near = estimator.estimate(anchor: anchor, reference: near, clamps: clamps)
        let far = estimator.estimate(anchor: anchor, reference: far, clamps: clamps)
        margin = near.value - far.value
        let x = margin / term.tau
        let (value, slope) =
            term.form == .margin
            ? (margin, 1)
            : (max(x, 0) + log1p(exp(-abs(x))), (x >= 0 ? 1 : exp(x)) / (1 + exp(-abs(x))) / term.tau)
        loss = value
        isClamped = near.isClamped || far.isClamped
        slopes = PerView(
            original: slope * (near.slope - far.slope), preserving: -slope * near.slope,
            removing: slope * far.slope)
    }
}

extension Estimator {
    func estimate(anchor: Double, reference: Double, clamps: Clamps) -> TokenTwin.Estimate {
        var difference = anchor - reference
        var isClamped = false
        var passes = 1.0
        if let limit = clamps.input, difference.magnitude > limit {
            difference = difference > 0 ? limit : -limit
            isClamped = true
            passes = 0
        }
        var estimate: TokenTwin.Estimate
        switch self {
        case .k1: estimate = TokenTwin.Estimate(value: difference, slope: 1, isClamped: isClamped)
        case .abs:
            let sign = difference == 0 ? 0 : (difference > 0 ? 1.0 : -1.0)
            estimate = TokenTwin.Estimate(value: difference.magnitude, slope: sign, isClamped: isClamped)
        case .k2:
            estimate = TokenTwin.Estimate(
                value: difference * difference / 2, slope: difference, isClamped: isClamped)
        case .k3:
            let growth = expm1(-difference)
            estimate = TokenTwin.Estimate(
                value: max(0, growth + difference), slope: -growth, isClamped: isClamped)
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
