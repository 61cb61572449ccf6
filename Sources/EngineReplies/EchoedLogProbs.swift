import JSON

/// vLLM's completions with `echo`: `choices[0].logprobs` = {`tokens`, `token_logprobs`, `top_logprobs`}, the generated
/// tokens after the prompt's.
///
/// `top_logprobs` names tokens by their texts. Two tokens with the same text share a member, so a list may lack an
/// entry. With `return_tokens_as_token_ids` servers write `token_id:785` instead, which is complete and includes the
/// ids.
struct EchoedLogProbs {
    private var logProbs: [Double] = []
    private var lists: TopLists?
    /// The first entry of each list.
    private var first: [Double?] = []
    private var ids: [Int?] = []

    static let path = "choices[0].logprobs"

    /// - Returns: nil if the object has no `token_logprobs` and thus another form.
    init?(reading reader: inout JSONReader) throws(EngineReplyError) {
        var cursor = ReplyCursor("\(EchoedLogProbs.path)")
        var isEcho = false
        do throws(JSONError) {
            guard try reader.nextKind() == .object else {
                try reader.ignore()
                return nil
            }
            try reader.object { (reader, member) throws(JSONError) in
                let isNull = try reader.nextKind() == .null
                switch member {
                case "token_logprobs" where !isNull:
                    isEcho = true
                    cursor = ReplyCursor("\(EchoedLogProbs.path).token_logprobs")
                    try reader.array { (reader, position) throws(JSONError) in
                        cursor.position = position
                        logProbs.append(try reader.logProb())
                    }
                case "top_logprobs" where !isNull:
                    cursor = ReplyCursor("\(EchoedLogProbs.path).top_logprobs")
                    try readLists(&reader, &cursor)
                case "tokens":
                    // Texts are only read for ids. Any other content is accepted.
                    var broken: EngineReplyError?
                    let texts = try reader.attempt(&broken) { (reader) throws(EngineReplyError) in
                        try EchoedLogProbs.ids(reading: &reader)
                    }
                    ids = (try? texts.get()) ?? []
                default: try reader.ignore()
                }
                cursor = ReplyCursor(EchoedLogProbs.path)
            }
        } catch {
            throw cursor.error(for: error)
        }
        guard isEcho else { return nil }
        if let lists, lists.count != logProbs.count {
            throw EngineReplyError(
                .lengthsDiffer(expected: logProbs.count, found: lists.count),
                path: "\(EchoedLogProbs.path).top_logprobs")
        }
    }

    private mutating func readLists(
        _ reader: inout JSONReader, _ cursor: inout ReplyCursor
    ) throws(JSONError) {
        var lists = TopLists()
        try reader.array { (reader, position) throws(JSONError) in
            cursor.position = position
            if try reader.nextKind() == .null {
                try reader.null()
                first.append(nil)
                return lists.endPosition(isPresent: false)
            }
            let start = lists.logProbs.count
            try reader.object { (reader, name) throws(JSONError) in
                cursor.entry = .name(name)
                lists.logProbs.append(try reader.logProb())
            }
            cursor.entry = nil
            first.append(lists.logProbs.count > start ? lists.logProbs[start] : nil)
            lists.endPosition(isPresent: true)
        }
        self.lists = lists
    }

    private static func ids(reading reader: inout JSONReader) throws(EngineReplyError) -> [Int?] {
        var ids: [Int?] = []
        do throws(JSONError) {
            try reader.array { (reader, _) throws(JSONError) in
                let text = try reader.string()
                ids.append(text.hasPrefix("token_id:") ? tokenID(text.dropFirst("token_id:".count)) : nil)
            }
        } catch {
            throw EngineReplyError(.json(error.reason), path: "\(path).tokens", byte: error.byte)
        }
        // If only some texts look like ids, all are texts.
        return ids.contains(nil) ? [] : ids
    }

    /// - Parameter generated: the number of entries at the end that do not belong to the prompt.
    func reply(droppingLast generated: Int) throws(EngineReplyError) -> EngineReply {
        let path = "\(EchoedLogProbs.path).token_logprobs"
        guard generated <= logProbs.count else {
            throw EngineReplyError(.tooFewEntries(expected: generated, found: logProbs.count), path: path)
        }
        let count = logProbs.count - generated
        let logProbs = Array(logProbs.prefix(count))
        var owned: OwnedLists?
        if var lists {
            lists.removeLast(generated)
            // A first entry with another value belongs to another token with the same text.
            owned = OwnedLists(
                lists: lists,
                own: (0..<count).map { lists.isPresent[$0] && first[$0] == logProbs[$0] ? 0 : nil })
        }
        return EngineReply(
            form: .echo,
            ids: ids.count == self.logProbs.count
                ? Array(ids.prefix(count)) : [Int?](repeating: nil, count: count),
            logProbs: logProbs, lists: owned?.lists, standings: owned?.standings() ?? [], listPath: path,
            topPath: "\(EchoedLogProbs.path).top_logprobs")
    }

    var count: Int { logProbs.count }
}
