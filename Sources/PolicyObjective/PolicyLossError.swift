/// Why a batch has no policy loss. `token` is an index into the flat list of N tokens.
package enum PolicyLossError: Error, Sendable, Equatable {
    /// What is read, by its name in the contract.
    package enum Input: String, Sendable, CaseIterable {
        case logProbabilities = "original.log_probs"
        case oldLogProbabilities = "old.log_probs"
        case referenceLogProbabilities = "reference.log_probs"
        case advantages
        /// Its sequence is the token's.
        case advantageScale = "advantage_scale"
    }

    /// What is made, by its name in the contract.
    package enum Component: String, Sendable, CaseIterable {
        case policyLoss = "policy_loss"
        case kl
    }

    /// A response token has NaN or an infinity.
    case notFinite(Input, token: Int)
    /// All that is read is finite, but the token's loss or its gradient is beyond Double.
    case overflow(Component, token: Int)
    /// Each token is finite, but their sum is beyond Double.
    case sumOverflow(Component)
}
