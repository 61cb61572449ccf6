package import Batches

/// The batch that a loss reads: N tokens in B sequences. The creator has checked that all numbers inside the response
/// are finite. Inputs that the loss does not need (``PerceptionLoss/needs(hasOld:)``) may be nil.
package struct TokenBatch: Sendable {
    package var sequences: Sequences
    /// [N] of 0 and 1.
    package var responseMask: [UInt8]
    /// [N] of 0 and 1: the response tokens of sequences that have perturbed views. Other sequences have no candidates,
    /// and their values under the preserving and the removing view are never read.
    package var viewedMask: [UInt8] { partlyViewed ?? responseMask }
    /// Nil if every sequence has views.
    private let partlyViewed: [UInt8]?
    /// [N]: the advantage of each token, and the reward of its response.
    package var advantages: TokenNumbers?
    package var rewards: TokenNumbers?
    /// [N] of 0 and 1: the perception tokens, if they are an input.
    package var perceptionMask: [UInt8]?
    /// [N] in nats.
    package var entropies = PerView<TokenNumbers?>(repeating: nil)
    /// [N]: log-probabilities of the realised tokens under each view.
    package var logProbabilities = PerView<TokenNumbers?>(repeating: nil)
    /// [N]: log-probabilities under the original view, of the policy that sampled the responses.
    package var oldLogProbabilities: TokenNumbers?
    /// [N]: divergences over the vocabulary.
    package var divergences: [PairValues]?

    /// - Parameter viewedMask: nil if every sequence has views.
    package init(sequences: Sequences, responseMask: [UInt8], viewedMask: [UInt8]? = nil) {
        self.sequences = sequences
        self.responseMask = responseMask
        partlyViewed = viewedMask
    }

    /// A Boolean value indicating whether some of the sequences have no views.
    package var isMixed: Bool { partlyViewed != nil }

    /// Returns the response tokens for which a view has values.
    package func mask(of view: View) -> [UInt8] { view == .original ? responseMask : viewedMask }
}
