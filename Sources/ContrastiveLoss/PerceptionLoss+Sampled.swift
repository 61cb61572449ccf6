import Parallelism
import Perception

/// Tokens that one thread takes at a time: enough that handing them out costs little beside them.
private let blockLength = 2048

extension PerceptionLoss {
    /// Scores a batch from the log-probabilities of its realised tokens under the three views, [N] each.
    ///
    /// token loss c = term(m), m = D(a‖p) − D(a‖n); it is given for every response token and counts where the mask is 1.
    /// ∂m/∂a = D'(a‖p) − D'(a‖n), ∂m/∂p = −D'(a‖p), ∂m/∂n = D'(a‖n), with D' the slope for the anchor.
    /// - Complexity: O(N), about four transcendental functions for each response token.
    package func score(_ batch: TokenBatch, logProbabilities: PerView<[Double]>) -> LossReport {
        precondition(!estimator.needsVocabulary)
        let count = batch.rows.tokens
        var report = select(in: batch)
        var slopes = PerView(repeating: [Double](repeating: 0, count: count))
        let blocks = mapInParallel((count + blockLength - 1) / blockLength, operations: 50 * count) { block in
            let tokens = block * blockLength..<min(count, (block + 1) * blockLength)
            return tokens.map { token in
                batch.responseMask[token] == 1
                    ? contrast(
                        anchor: logProbabilities.original[token], near: logProbabilities.preserving[token],
                        far: logProbabilities.removing[token]) : nil
            }
        }
        for (block, contrasts) in blocks.enumerated() {
            for (offset, contrast) in contrasts.enumerated() {
                guard let contrast else { continue }
                let token = block * blockLength + offset
                report.margin[token] = contrast.margin
                report.isClamped[token] = contrast.isClamped
                report.tokenLoss[token] = contrast.loss
                guard report.mask[token] == 1 else { continue }
                slopes.original[token] = contrast.original
                slopes.preserving[token] = contrast.preserving
                slopes.removing[token] = contrast.removing
            }
        }
        report.aggregated = aggregation.aggregate(
            losses: report.tokenLoss, mask: report.mask, rows: batch.rows)
        for view in View.allCases {
            slopes[view] = weighted(
                slopes[view], report.aggregated, batch.rows, isStopped: stopGradient.contains(view))
        }
        report.gradient = .logProbabilities(slopes)
        return report
    }

    /// One token's margin, loss, and ∂c/∂ of its three log-probabilities.
    private struct Contrast: Sendable {
        let margin: Double
        let loss: Double
        let isClamped: Bool
        let original: Double
        let preserving: Double
        let removing: Double
    }

    @inline(__always)
    private func contrast(anchor: Double, near: Double, far: Double) -> Contrast {
        let near = estimator.estimate(anchor: anchor, reference: near, clamps: clamps)
        let far = estimator.estimate(anchor: anchor, reference: far, clamps: clamps)
        let margin = near.value - far.value
        let loss = term.loss(margin: margin)
        return Contrast(
            margin: margin, loss: loss.value, isClamped: near.isClamped || far.isClamped,
            original: loss.slope * (near.slope - far.slope), preserving: -loss.slope * near.slope,
            removing: loss.slope * far.slope)
    }

    /// ∂c/∂x times what each token's loss weighs in the aggregate; all zeros for a view that is taken as a constant.
    private func weighted(
        _ slopes: [Double], _ aggregated: AggregatedLoss, _ rows: Rows, isStopped: Bool
    ) -> [Double] {
        var gradient = [Double](repeating: 0, count: slopes.count)
        if isStopped { return gradient }
        for row in 0..<rows.count {
            let weight = aggregated.tokenWeights[row] * gradientScale
            for token in rows[row] { gradient[token] = slopes[token] == 0 ? 0 : slopes[token] * weight }
        }
        return gradient
    }

    /// The selection that every estimator shares, with the loss still to be filled in.
    func select(in batch: TokenBatch) -> LossReport {
        let count = batch.rows.tokens
        let detection = detector.detect(
            originalEntropy: batch.originalEntropy, removingEntropy: batch.removingEntropy,
            responseMask: batch.responseMask, rows: batch.rows)
        let open = gate.open(advantages: batch.advantages, responseMask: batch.responseMask)
        let zeros = [Double](repeating: 0, count: count)
        return LossReport(
            detection: detection, gate: open, mask: zip(detection.mask, open).map { $0 & $1 }, margin: zeros,
            isClamped: [Bool](repeating: false, count: count), tokenLoss: zeros,
            aggregated: AggregatedLoss(loss: 0, numerator: 0, denominator: 0, tokenWeights: []),
            gradient: .logProbabilities(PerView(repeating: [])))
    }
}

extension PerView {
    init(repeating value: Value) { self.init(original: value, preserving: value, removing: value) }
}
