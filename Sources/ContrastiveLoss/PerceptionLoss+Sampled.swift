import Perception

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
        for token in 0..<count where batch.responseMask[token] == 1 {
            let anchor = logProbabilities.original[token]
            let near = estimator.estimate(
                anchor: anchor, reference: logProbabilities.preserving[token], clamps: clamps)
            let far = estimator.estimate(
                anchor: anchor, reference: logProbabilities.removing[token], clamps: clamps)
            report.margin[token] = near.value - far.value
            report.isClamped[token] = near.isClamped || far.isClamped
            let loss = term.loss(margin: report.margin[token])
            report.tokenLoss[token] = loss.value
            guard report.mask[token] == 1 else { continue }
            slopes.original[token] = loss.slope * (near.slope - far.slope)
            slopes.preserving[token] = -loss.slope * near.slope
            slopes.removing[token] = loss.slope * far.slope
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
