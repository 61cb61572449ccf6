package import Batches

/// What a policy loss reads: N tokens in B sequences. Lists are flat over N; outside the response they may hold
/// anything.
package struct PolicyBatch: Sendable {
    package var sequences: Sequences
    /// [N] of 0 and 1.
    package var responseMask: [UInt8]
    /// [N], nats: of the policy that learns; gradients are with respect to these.
    package var logProbabilities: [Double]
    /// [N], nats: of the policy that sampled. Nil only without a surrogate.
    package var oldLogProbabilities: [Double]?
    /// [N], nats. Nil only without a penalty.
    package var referenceLogProbabilities: [Double]?
    /// [N]. Nil only without a surrogate.
    package var advantages: [Double]?
    /// [B], multiplies the advantages; nil is 1 everywhere.
    package var advantageScale: [Double]?
    /// [N] of 0 and 1. Nil unless the surrogate keeps to perception tokens.
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

    /// Tokens that one thread takes at a time.
    static let piece = 4096

    var responseTokens: Int { count(of: responseMask.span, in: 0..<responseMask.count) }

    /// The first response token of a sequence whose own log-probs spoil the sequence's ratio, which a token before it
    /// meets first.
    func ratioFault(inSequence sequence: Int) -> PolicyLossError? {
        for token in sequences[sequence] where responseMask[token] == 1 {
            if !logProbabilities[token].isFinite { return .notFinite(.logProbabilities, token: token) }
            if oldLogProbabilities?[token].isFinite == false {
                return .notFinite(.oldLogProbabilities, token: token)
            }
        }
        return nil
    }

    /// Lengths are the caller's promise; what is absent must not be asked for.
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
