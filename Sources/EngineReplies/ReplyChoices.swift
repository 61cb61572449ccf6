import JSON

/// `choices`, of which only the first is read.
struct ReplyChoices {
    private(set) var first = ReplyChoice()
    private(set) var count = 0

    init(reading reader: inout JSONReader, _ broken: inout EngineReplyError?) throws(JSONError) {
        guard try reader.nextKind() == .array else {
            try reader.ignore()
            return
        }
        try reader.array { (reader, index) throws(JSONError) in
            count += 1
            if index == 0 { first = try ReplyChoice(reading: &reader, &broken) } else { try reader.ignore() }
        }
    }
}

/// The facts about the prompt in one choice.
struct ReplyChoice {
    private(set) var prompt: Result<PromptLogProbs, EngineReplyError>?
    private(set) var promptIDs: [Int]?
    private(set) var echo: Result<EchoedLogProbs?, EngineReplyError>?
    /// Whether there are log-probs of any kind.
    private(set) var hasLogProbs = false

    static let promptPath = "choices[0].prompt_logprobs"

    init() {}

    init(reading reader: inout JSONReader, _ broken: inout EngineReplyError?) throws(JSONError) {
        guard try reader.nextKind() == .object else {
            try reader.ignore()
            return
        }
        try reader.object { (reader, name) throws(JSONError) in
            guard try reader.nextKind() != .null else { return try reader.null() }
            switch name {
            case "prompt_logprobs":
                prompt = try reader.attempt(&broken) { (reader) throws(EngineReplyError) in
                    try PromptLogProbs(reading: &reader, path: ReplyChoice.promptPath)
                }
            case "prompt_token_ids": promptIDs = try reader.wholeNumbers()
            case "logprobs":
                hasLogProbs = true
                echo = try reader.attempt(&broken) { (reader) throws(EngineReplyError) in
                    try EchoedLogProbs(reading: &reader)
                }
            default: try reader.ignore()
            }
        }
    }
}

/// `usage`: the numbers of prompt tokens and generated tokens.
struct ReplyUsage {
    private var promptTokens: Int?
    private var completionTokens: Int?

    init() {}

    init(reading reader: inout JSONReader) throws(JSONError) {
        guard try reader.nextKind() == .object else {
            try reader.ignore()
            return
        }
        try reader.object { (reader, name) throws(JSONError) in
            guard try reader.nextKind() == .number else { return try reader.ignore() }
            let count = try reader.number().integer.flatMap { $0 >= 0 ? Int($0) : nil }
            switch name {
            case "prompt_tokens": promptTokens = count
            case "completion_tokens": completionTokens = count
            default: break
            }
        }
    }

    /// Returns the number of echoed entries of generated tokens. If no token is requested, vLLM nevertheless generates
    /// and counts one, but does not echo it. The number of entries then equals the number of prompt tokens.
    func generated(of entries: Int, choices: Int) throws(EngineReplyError) -> Int {
        if promptTokens == entries { return 0 }
        guard let completionTokens else {
            throw EngineReplyError(.missingMember("completion_tokens"), path: "usage")
        }
        guard choices == 1 || completionTokens == 0 else {
            throw EngineReplyError(.severalChoices(choices), path: "choices")
        }
        return completionTokens
    }
}
