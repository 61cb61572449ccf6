/// What an inference engine said about a prompt that ends in the response: for each of its positions the realised token's
/// log-probability (nats) and, where asked for, the likeliest tokens.
///
/// Memory: at most some 40 bytes for each byte of the text.
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
    /// The realised token of each position where the reply tells it.
    package let ids: [Int?]
    /// −inf for probability 0 and where the engine gave none, as at the first position.
    package let logProbs: [Double]
    /// nil when the reply has none at all.
    let lists: TopLists?
    /// How the realised token relates to its position's list; empty without lists.
    let standings: [Standing]
    /// The lists of realised tokens and of likeliest tokens, from the reply's top.
    let listPath: String
    let topPath: String

    /// Positions of the prompt that the reply covers.
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

/// How a realised token relates to the list of its position.
enum Standing: Equatable {
    /// It is one of the k best.
    case listed
    /// It is not. `entry` is its place in the list where the engine wrote it there all the same.
    case outside(entry: Int?)
    /// Neither ids nor the order tell.
    case unidentified
}
