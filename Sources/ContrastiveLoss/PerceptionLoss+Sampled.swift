import Perception

extension PerceptionLoss {
    /// Scores a batch from the log-probabilities of its realised tokens under the three views, [N] each.
    ///
    /// token loss c = term(m), m = D(a‖p) − D(a‖n); it is given for every response token and counts where the mask is 1.
    /// ∂m/∂a = D'(a‖p) − D'(a‖n), ∂m/∂p = −D'(a‖p), ∂m/∂n = D'(a‖n), with D' the slope for the anchor.
    /// - Complexity: O(N), about four transcendental functions for each response token.
    package func score(_ batch: TokenBatch, logProbabilities: PerView<[Double]>) -> LossReport {
        precondition(!estimator.needsVocabulary)
        let selection = Selection(batch, detector, gate)
        // What a token weighs depends on how many are selected, not on what they lose, so one pass makes gradients too.
        let weights = aggregation.tokenWeights(mask: selection.mask, rows: batch.rows)
        let lists = TokenContrast(
            estimator: estimator, clamps: clamps, term: term, stopGradient: stopGradient
        ).lists(
            logProbabilities, responseMask: batch.responseMask, mask: selection.mask, rows: batch.rows,
            weights: weights.map { $0 * gradientScale })
        return LossReport(
            detection: selection.detection, gate: selection.gate, mask: selection.mask, margin: lists.margin,
            isClamped: lists.isClamped, tokenLoss: lists.loss,
            aggregated: aggregation.aggregate(losses: lists.loss, mask: selection.mask, rows: batch.rows),
            gradient: .logProbabilities(lists.gradient))
    }

    /// The selection alone, with the loss still to be filled in.
    func select(in batch: TokenBatch) -> LossReport {
        let selection = Selection(batch, detector, gate)
        let zeros = [Double](repeating: 0, count: batch.rows.tokens)
        return LossReport(
            detection: selection.detection, gate: selection.gate, mask: selection.mask, margin: zeros,
            isClamped: [Bool](repeating: false, count: zeros.count), tokenLoss: zeros,
            aggregated: AggregatedLoss(loss: 0, numerator: 0, denominator: 0, tokenWeights: []),
            gradient: .logProbabilities(PerView(repeating: [])))
    }
}

/// Which tokens carry loss: the same for every estimator.
private struct Selection {
    let detection: Detection
    let gate: [UInt8]
    let mask: [UInt8]

    init(_ batch: TokenBatch, _ detector: PerceptionDetector, _ gate: AdvantageGate) {
        detection = detector.detect(
            originalEntropy: batch.originalEntropy, removingEntropy: batch.removingEntropy,
            responseMask: batch.responseMask, rows: batch.rows)
        self.gate = gate.open(advantages: batch.advantages, responseMask: batch.responseMask)
        mask = intersection(of: detection.mask, and: self.gate)
    }
}

extension PerView {
    init(repeating value: Value) { self.init(original: value, preserving: value, removing: value) }
}
