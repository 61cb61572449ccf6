extension ClippedSurrogate {
    /// Returns the loss and the gradient of every token.
    /// - Parameter weights: [B], the weight of a token's loss in the aggregate, by sequence.
    /// - Complexity: O(N)
    func tokens(of batch: PolicyBatch, weights: [Double]) throws(PolicyLossError) -> TokenLosses {
        guard let old = batch.oldLogProbabilities, let advantages = batch.advantages else {
            preconditionFailure("a surrogate needs old log-probs and advantages")
        }
        let ratios = level == .sequence ? batch.sequenceRatios() : nil
        let kept = tokens == .perception ? batch.perceptionMask : nil
        return try batch.tokenLosses {
            (sequence, tokens, losses, gradient) throws(PolicyLossError) in
            let scale = batch.advantageScale?[sequence] ?? 1
            let ratio = ratios?[sequence]
            let mask = batch.responseMask.span
            let new = batch.logProbabilities.span
            let old = old.span
            let given = advantages.span
            var clipped = 0
            for (place, token) in tokens.enumerated() where mask[token] == 1 {
                guard new[token].isFinite else { throw .notFinite(.logProbabilities, token: token) }
                guard old[token].isFinite else { throw .notFinite(.oldLogProbabilities, token: token) }
                guard given[token].isFinite else { throw .notFinite(.advantages, token: token) }
                guard scale.isFinite else { throw .notFinite(.advantageScale, token: token) }
                let outcome = outcome(
                    ratio ?? ImportanceRatio(ofToken: new[token] - old[token]),
                    advantage: given[token] * scale)
                let slope = outcome.slope * weights[sequence]
                guard outcome.loss.isFinite, slope.isFinite else {
                    throw batch.ratioFault(inSequence: sequence) ?? .overflow(.policyLoss, token: token)
                }
                if outcome.isClipped { clipped += 1 }
                if let kept, kept[token] == 0 { continue }
                losses[place] = outcome.loss
                gradient[place] = slope
            }
            return clipped
        }
    }
}
