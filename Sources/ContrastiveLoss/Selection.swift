import Batches
package import Perception

/// The tokens that carry loss, and how much each response depends on the image.
package struct Selection: Sendable {
    package var detection: Detection
    package var gate: [UInt8]
    /// perception ∧ gate: the tokens that carry loss.
    package var mask: [UInt8]
    /// Nil if advantages are not scaled.
    package var advantageScales: AdvantageScaling.Scales?
}

extension PerceptionLoss {
    /// Selects the tokens that carry loss.
    /// - Throws: `InfiniteDivergence` if the detector ranks by a divergence over the vocabulary that is infinite.
    /// - Parameter wishes: the lists that a reply sends; nil to keep lists of doubles.
    /// - Complexity: O(N) on average
    package func select(
        in batch: TokenBatch, for wishes: DetectionWishes? = nil
    ) throws(InfiniteDivergence) -> Selection {
        let evidence: Evidence
        // If both use estimates, advantages are scaled by the values that the detector ranks by.
        lazy var dependency = dependencies(batch)
        switch detector.method {
        case .none: evidence = .none
        case .given:
            guard let mask = batch.perceptionMask else { preconditionFailure("no perception mask was given") }
            evidence = .mask(mask)
        case .entropy:
            guard let original = batch.entropies.original, let removing = batch.entropies.removing else {
                preconditionFailure("the entropy detector needs both entropies")
            }
            evidence = .entropies(original: original, removing: removing)
        case .divergence:
            let scores = estimator.needsVocabulary ? try vocabularyDependencies(batch) : dependency
            evidence = .divergences(
                scores, isRising: detector.candidates == .rising ? rising(batch) : nil)
        }
        let detection = detector.detect(
            evidence, responseMask: batch.viewedMask, sequences: batch.sequences, for: wishes)
        let gate = gate.open(
            advantages: batch.advantages, rewards: batch.rewards, responseMask: batch.responseMask)
        return Selection(
            detection: detection, gate: gate, mask: intersection(of: detection.mask, and: gate),
            advantageScales: advantageScaling?.scales(
                dependency: dependency, responseMask: batch.viewedMask, sequences: batch.sequences))
    }

    /// Returns the estimated D(old or original ‖ removing) of each token; 0 outside the response and in sequences
    /// without views.
    private func dependencies(_ batch: TokenBatch) -> [Double] {
        let term = Term(.original, .removing, weight: 1)
        var views = batch.logProbabilities
        views.original = batch.oldLogProbabilities ?? views.original
        return TokenContrast(
            terms: [term], estimator: estimator, clamps: clamps, shape: TokenShape(form: .margin)
        ).lists(
            views, responseMask: batch.viewedMask, mask: batch.viewedMask, sequences: batch.sequences,
            weights: [Double](repeating: 1, count: batch.sequences.count),
            wishes: TokenContrast.Wishes(loss: false)
        ).contrast
    }

    private func vocabularyDependencies(_ batch: TokenBatch) throws(InfiniteDivergence) -> [Double] {
        guard let divergences = batch.divergences else { preconditionFailure("no divergences were given") }
        let pair = ViewPair(anchor: .original, reference: .removing)
        var scores = [Double](repeating: 0, count: divergences.count)
        let viewed = batch.viewedMask
        for token in divergences.indices where viewed[token] == 1 {
            scores[token] = clamps.clamped(divergences[token][pair]).value
            if !scores[token].isFinite { throw InfiniteDivergence(token: token, pair: pair) }
        }
        return scores
    }

    /// Returns a mask: 1 for tokens whose log-probability falls when the image loses its information.
    private func rising(_ batch: TokenBatch) -> [UInt8] {
        guard let original = batch.oldLogProbabilities ?? batch.logProbabilities.original,
            let removing = batch.logProbabilities.removing
        else { preconditionFailure("rising candidates need log-probabilities") }
        return zip(original.doubles, removing.doubles).map { $0 > $1 ? 1 : 0 }
    }
}

/// An infinite divergence: one view has probability where the other, which must have some there, has exactly none.
package struct InfiniteDivergence: Error, Equatable, Sendable {
    package let token: Int
    package let pair: ViewPair

    package init(token: Int, pair: ViewPair) {
        self.token = token
        self.pair = pair
    }
}
