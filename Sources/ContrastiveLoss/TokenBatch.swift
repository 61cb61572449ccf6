package import Batches

/// A batch as the loss sees it: N tokens in B sequences, all numbers finite inside the response, checked by whoever
/// built it. What the loss does not need (``PerceptionLoss/needs(hasOld:)``) may be nil.
package struct TokenBatch: Sendable {
    package var sequences: Sequences
    /// [N] of 0 and 1.
    package var responseMask: [UInt8]
    /// [N] of 0 and 1: the response tokens of sequences that have perturbed views. Other sequences have no candidates,
    /// and what the preserving and the removing view say of them is never read.
    package var viewedMask: [UInt8] { partlyViewed ?? responseMask }
    /// Nil where every sequence has views.
    private let partlyViewed: [UInt8]?
    /// [N]: each token's advantage, and its response's reward.
    package var advantages: TokenNumbers?
    package var rewards: TokenNumbers?
    /// [N] of 0 and 1: perception tokens that are an input.
    package var perceptionMask: [UInt8]?
    /// [N] in nats.
    package var entropies = PerView<TokenNumbers?>(repeating: nil)
    /// [N]: log-probabilities of the realised tokens under each view.
    package var logProbabilities = PerView<TokenNumbers?>(repeating: nil)
    /// [N]: the same under the original view of the policy that made the responses.
    package var oldLogProbabilities: TokenNumbers?
    /// [N]: divergences over the vocabulary.
    package var divergences: [PairValues]?

    /// - Parameter viewedMask: nil where every sequence has views.
    package init(sequences: Sequences, responseMask: [UInt8], viewedMask: [UInt8]? = nil) {
        self.sequences = sequences
        self.responseMask = responseMask
        partlyViewed = viewedMask
    }

    /// Whether sequences without views are among them.
    package var isMixed: Bool { partlyViewed != nil }

    /// The response tokens that a view says something of.
    package func mask(of view: View) -> [UInt8] { view == .original ? responseMask : viewedMask }
}
