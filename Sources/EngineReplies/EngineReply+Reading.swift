package import JSON

extension EngineReply {
    /// Reads a reply as the engine wrote it: one JSON value. Members that are not needed may have any value.
    /// - Complexity: O(text). A form that turns out to be invalid and unnecessary is skipped in a second pass.
    package init(reading reader: inout JSONReader) throws(EngineReplyError) {
        self = try ReplyMembers(reading: &reader).reply()
    }
}

/// The members at the top of a reply.
private struct ReplyMembers {
    private var prompt: Result<PromptLogProbs, EngineReplyError>?
    private var promptIDs: [Int]?
    private var choices: ReplyChoices?
    private var usage = ReplyUsage()
    private var meta: Result<InputTokenLogProbs?, EngineReplyError>?
    /// Whether a member of that name was null.
    private var promptIsNull = false

    init(reading reader: inout JSONReader) throws(EngineReplyError) {
        var member = ""
        var broken: EngineReplyError?
        do throws(JSONError) {
            try reader.object { (reader, name) throws(JSONError) in
                member = shortened(name)
                try read(name, &reader, &broken)
                member = ""
            }
        } catch {
            throw broken ?? EngineReplyError(.json(error.reason), path: member, byte: error.byte)
        }
    }

    private mutating func read(
        _ name: String, _ reader: inout JSONReader, _ broken: inout EngineReplyError?
    ) throws(JSONError) {
        switch name {
        case "prompt_logprobs":
            promptIsNull = try reader.nextKind() == .null
            guard !promptIsNull else { return try reader.null() }
            prompt = try reader.attempt(&broken) { (reader) throws(EngineReplyError) in
                try PromptLogProbs(reading: &reader, path: name)
            }
        case "prompt_token_ids": promptIDs = try reader.wholeNumbers()
        case "choices": choices = try ReplyChoices(reading: &reader, &broken)
        case "usage": usage = try ReplyUsage(reading: &reader)
        case "meta_info":
            meta = try reader.attempt(&broken) { (reader) throws(EngineReplyError) in
                try InputTokenLogProbs(reading: &reader)
            }
        default: try reader.ignore()
        }
    }

    func reply() throws(EngineReplyError) -> EngineReply {
        if let prompt {
            return try prompt.get().reply(
                path: "prompt_logprobs", promptIDs: promptIDs ?? choices?.first.promptIDs)
        }
        let choice = choices?.first ?? ReplyChoice()
        // Valid forms come first. The others may be unrelated members with the same name.
        if case .success(let prompt) = choice.prompt {
            return prompt.reply(path: ReplyChoice.promptPath, promptIDs: choice.promptIDs ?? promptIDs)
        }
        if case .success(let echo?) = choice.echo {
            return try echo.reply(
                droppingLast: usage.generated(of: echo.count, choices: choices?.count ?? 0))
        }
        if case .success(let meta?) = meta { return meta.reply() }
        if case .failure(let error) = choice.prompt { throw error }
        if case .failure(let error) = choice.echo { throw error }
        if case .failure(let error) = meta { throw error }
        if choice.hasLogProbs { throw EngineReplyError(.onlyGenerated, path: "choices[0].logprobs") }
        if promptIsNull { throw EngineReplyError(.notAskedFor, path: "prompt_logprobs") }
        throw EngineReplyError(.unknownForm, path: "")
    }
}
