/// The reply of an inference engine about a prompt that ends with the response. For each position it contains the
/// realised token's log-probability (nats) and, if requested, the likeliest tokens.
///
/// Memory: at most about 40 bytes for each byte of the text.
package struct EngineReply: Sendable {
    package enum Form: String, Sendable, CaseIterable {
        /// vLLM's `prompt_logprobs`.
        case promptLogProbs = "prompt_logprobs"
        /// vLLM's completions with `echo`.
        case echo
        /// SGLang's `meta_info.input_token_logprobs`.
        case inputTokenLogProbs = "input_token_logprobs"
    }

    package let form: Form
    /// The realised token of each position, if the reply contains it.
    package let ids: [Int?]
    /// −inf for probability 0, and if the engine gave none, as at the first position.
    package let logProbs: [Double]
    /// Nil if the reply has no lists.
    let lists: TopLists?
    /// The relation of the realised token to the list of its position; empty without lists.
    let standings: [Standing]
    /// The paths of the lists of realised tokens and of likeliest tokens in the reply.
    let listPath: String
    let topPath: String

    /// The number of positions of the prompt that the reply covers.
    package var count: Int { logProbs.count }

    init(
        form: Form, ids: [Int?], logProbs: [Double], lists: TopLists?, standings: [Standing],
        listPath: String,
        topPath: String
    ) {
        self.form = form
        self.ids = ids
        self.logProbs = logProbs
        self.lists = lists
        self.standings = standings
        self.listPath = listPath
        self.topPath = topPath
    }
}

/// The relation of a realised token to the list of its position.
enum Standing: Equatable {
    /// The token is one of the k best.
    case listed
    /// The token is not among them. `entry` is its index if the engine nevertheless wrote it into the list.
    case outside(entry: Int?)
    /// Neither ids nor order reveal it.
    case unidentified
}
