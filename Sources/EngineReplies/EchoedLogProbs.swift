import JSON

/// vLLM's completions with `echo`: `choices[0].logprobs` = {`tokens`, `token_logprobs`, `top_logprobs`}, the generated
/// tokens after the prompt's.
///
/// `top_logprobs` names tokens by their texts, and two tokens of one text are one member: a list may have lost an entry.
/// Servers asked for `return_tokens_as_token_ids` write `token_id:785` instead, which loses nothing and tells ids.
struct EchoedLogProbs {
    private var logProbs: [Double] = []
    private var lists: TopLists?
    /// The first entry of each list.
    private var first: [Double?] = []
    private var ids: [Int?] = []

    static let path = "choices[0].logprobs"

    /// - Returns: nil when the object has no `token_logprobs`: it belongs to another form.
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
                    // Texts are only looked at for ids; whatever else stands there is nobody's fault.
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
        // Texts that look like ids among others are texts.
        return ids.contains(nil) ? [] : ids
    }

    /// - Parameter generated: how many of the last entries are not the prompt's.
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
            // A first entry of another value is not the realised token's: its text was another token's, too.
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
