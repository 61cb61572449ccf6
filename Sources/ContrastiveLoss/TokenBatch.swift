package import Batches

/// A batch as the loss sees it: N tokens in B rows, all numbers finite inside the response, checked by whoever built it.
/// What the loss does not need (``PerceptionLoss/needs(hasOld:)``) may be nil.
package struct TokenBatch: Sendable {
    package var rows: Rows
    /// [N] of 0 and 1.
    package var responseMask: [UInt8]
    /// [N]: each token's advantage, and its response's reward.
    package var advantages: [Double]?
    package var rewards: [Double]?
    /// [N] of 0 and 1: perception tokens that are an input.
    package var perceptionMask: [UInt8]?
    /// [N] in nats.
    package var entropies = PerView<[Double]?>(repeating: nil)
    /// [N]: log-probabilities of the realised tokens under each view.
    package var logProbabilities = PerView<[Double]?>(repeating: nil)
    /// [N]: the same under the original view of the policy that made the responses.
    package var oldLogProbabilities: [Double]?
    /// [N]: divergences over the vocabulary.
    package var divergences: [PairValues]?

    package init(rows: Rows, responseMask: [UInt8]) {
        self.rows = rows
        self.responseMask = responseMask
    }
}
