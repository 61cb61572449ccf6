package import Batches

/// The batch that a policy loss reads: N tokens in B sequences. Lists are flat over N and may hold anything outside the
/// response.
package struct PolicyBatch: Sendable {
    package var sequences: Sequences
    /// [N] of 0 and 1.
    package var responseMask: [UInt8]
    /// [N], nats: under the policy that learns. Gradients are with respect to these.
    package var logProbabilities: [Double]
    /// [N], nats: under the policy that sampled. Nil only without a surrogate.
    package var oldLogProbabilities: [Double]?
    /// [N], nats: under the reference policy. Nil only without a penalty.
    package var referenceLogProbabilities: [Double]?
    /// [N]. Nil only without a surrogate.
    package var advantages: [Double]?
    /// [B]: factors of the advantages; nil for 1.
    package var advantageScale: [Double]?
    /// [N] of 0 and 1. Nil unless the surrogate is limited to perception tokens.
    package var perceptionMask: [UInt8]?

    package init(
        sequences: Sequences, responseMask: [UInt8], logProbabilities: [Double],
        oldLogProbabilities: [Double]? = nil,
        referenceLogProbabilities: [Double]? = nil, advantages: [Double]? = nil,
        advantageScale: [Double]? = nil, perceptionMask: [UInt8]? = nil
    ) {
        self.sequences = sequences
        self.responseMask = responseMask
        self.logProbabilities = logProbabilities
        self.oldLogProbabilities = oldLogProbabilities
        self.referenceLogProbabilities = referenceLogProbabilities
        self.advantages = advantages
        self.advantageScale = advantageScale
        self.perceptionMask = perceptionMask
    }

    /// The number of tokens that one thread processes at a time.
    static let piece = 4096

    var responseTokens: Int { count(of: responseMask.span, in: 0..<responseMask.count) }

    /// Returns the first response token of a sequence with a log-prob that is not finite. Such a token spoils the ratio
    /// of the sequence, which an earlier token may be the first to meet.
    func ratioFault(inSequence sequence: Int) -> PolicyLossError? {
        for token in sequences[sequence] where responseMask[token] == 1 {
            if !logProbabilities[token].isFinite { return .notFinite(.logProbabilities, token: token) }
            if oldLogProbabilities?[token].isFinite == false {
                return .notFinite(.oldLogProbabilities, token: token)
            }
        }
        return nil
    }

    /// Traps if a list has the wrong length, or if one is absent that the loss reads.
    func check(for loss: PolicyLoss) {
        let count = sequences.tokens
        precondition(responseMask.count == count && logProbabilities.count == count)
        precondition(advantageScale.map { $0.count == sequences.count } ?? true)
        if let surrogate = loss.surrogate {
            precondition(oldLogProbabilities?.count == count && advantages?.count == count)
            precondition(surrogate.tokens == .response || perceptionMask?.count == count)
        }
        if loss.kl != nil { precondition(referenceLogProbabilities?.count == count) }
    }
}
