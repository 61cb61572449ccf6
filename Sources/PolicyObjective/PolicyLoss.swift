package import ContrastiveLoss

/// The policy's own component of the objective, beside the perception loss: a clipped surrogate (PPO, GRPO, DAPO, GSPO) and
/// a penalty for leaving a reference policy. Every field is a request option.
///
/// Both components run over all response tokens; perception mask and gate of the perception loss don't act on them. Source:
/// verl 0.9.1 `core_algos.py`, TRL 1.16.0 `grpo_trainer.py`; both libraries' own functions made the golden files.
package struct PolicyLoss: Sendable, Equatable {
    /// Nil with `policy` = none.
    package var surrogate: ClippedSurrogate?
    /// Nil without a reference policy.
    package var kl: ReferenceKL?
    /// `policy_aggregation`: how the tokens of either component become one number.
    package var aggregation: Aggregation

    package init(
        surrogate: ClippedSurrogate? = ClippedSurrogate(), kl: ReferenceKL? = nil,
        aggregation: Aggregation = Aggregation()
    ) {
        self.surrogate = surrogate
        self.kl = kl
        self.aggregation = aggregation
    }

    /// - Throws: ``PolicyLossError`` where a number that is read or made is not finite; the first such token in the
    ///   order of the batch, the surrogate before the penalty.
    /// - Complexity: O(N), one exponential a token for each component; sequence level: one a sequence for the surrogate.
    ///   The bits don't depend on how many threads there are.
    package func score(_ batch: PolicyBatch) throws(PolicyLossError) -> PolicyReport {
        batch.check(for: self)
        // What a token weighs depends on how many there are, not on what they lose, so one pass makes gradients too.
        let weights = aggregation.tokenWeights(mask: batch.responseMask, sequences: batch.sequences)
        var report = PolicyReport(klCoefficient: kl?.coefficient ?? 0)
        if let surrogate {
            let tokens = try surrogate.tokens(of: batch, weights: weights)
            let responseTokens = batch.responseTokens
            report.policy = try aggregate(tokens, batch, .policyLoss)
            report.clipFraction =
                responseTokens > 0 ? Double(tokens.clipped) / Double(responseTokens) : 0
        }
        if let kl {
            report.kl = try aggregate(try kl.tokens(of: batch, weights: weights), batch, .kl)
        }
        return report
    }

    private func aggregate(
        _ tokens: TokenLosses, _ batch: PolicyBatch, _ component: PolicyLossError.Component
    ) throws(PolicyLossError) -> PolicyReport.Component {
        let aggregated = aggregation.aggregate(
            losses: tokens.losses, mask: batch.responseMask, sequences: batch.sequences)
        // Finite tokens may still have a sum beyond Double.
        guard aggregated.loss.isFinite, aggregated.numerator.isFinite else { throw .sumOverflow(component) }
        return PolicyReport.Component(aggregated: aggregated, gradient: tokens.gradient)
    }
}
