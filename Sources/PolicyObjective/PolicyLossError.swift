/// The reason that a batch has no policy loss. `token` is an index into the flat list of N tokens.
package enum PolicyLossError: Error, Sendable, Equatable {
    /// An input, by its name in the contract.
    package enum Input: String, Sendable, CaseIterable {
        case logProbabilities = "original.log_probs"
        case oldLogProbabilities = "old.log_probs"
        case referenceLogProbabilities = "reference.log_probs"
        case advantages
        /// The scale of the token's sequence.
        case advantageScale = "advantage_scale"
    }

    /// A component, by its name in the contract.
    package enum Component: String, Sendable, CaseIterable {
        case policyLoss = "policy_loss"
        case kl
    }

    /// A response token has NaN or an infinity.
    case notFinite(Input, token: Int)
    /// All inputs are finite, but the token's loss or its gradient exceeds the range of Double.
    case overflow(Component, token: Int)
    /// Each token is finite, but their sum exceeds the range of Double.
    case sumOverflow(Component)
}
