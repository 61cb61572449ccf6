package import ContrastiveLoss

/// The policy component of the objective, in addition to the perception loss: a clipped surrogate (PPO, GRPO, DAPO, GSPO), and
/// a penalty for deviating from a reference policy. Every field is a request option.
///
/// Both components cover all response tokens. The perception mask and the gate of the perception loss do not act on
/// them. The golden files come from the functions of both libraries.
/// Source: verl 0.9.1 `core_algos.py`, TRL 1.16.0 `grpo_trainer.py`.
package struct PolicyLoss: Sendable, Equatable {
    /// Nil with `policy` = none.
    package var surrogate: ClippedSurrogate?
    /// Nil without a reference policy.
    package var kl: ReferenceKL?
    /// `policy_aggregation`: the way in which the tokens of each component become one number.
    package var aggregation: Aggregation

    package init(
        surrogate: ClippedSurrogate? = ClippedSurrogate(), kl: ReferenceKL? = nil,
        aggregation: Aggregation = Aggregation()
    ) {
        self.surrogate = surrogate
        self.kl = kl
        self.aggregation = aggregation
    }

    /// Scores a batch.
    /// - Throws: ``PolicyLossError`` if a number that is read or computed is not finite. It names the first such token
    ///   in the order of the batch, the surrogate's before the penalty's.
    /// - Complexity: O(N), with one exponential for each token and component. At sequence level, the surrogate takes
    ///   one for each sequence. The bits do not depend on the number of threads.
    package func score(_ batch: PolicyBatch) throws(PolicyLossError) -> PolicyReport {
        batch.check(for: self)
        // A token's weight depends on how many tokens there are, not on their losses, so one pass computes the
        // gradients, too.
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
        // The sum of finite tokens may exceed the range of Double.
        guard aggregated.loss.isFinite, aggregated.numerator.isFinite else { throw .sumOverflow(component) }
        return PolicyReport.Component(aggregated: aggregated, gradient: tokens.gradient)
    }
}
