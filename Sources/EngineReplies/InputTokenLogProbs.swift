import JSON

/// SGLang's `meta_info` with `return_logprob`: `input_token_logprobs`, a list of [logprob, token id, text], and the
/// likeliest tokens as such lists (`input_top_logprobs`) or flat.
struct InputTokenLogProbs {
    private var logProbs: [Double] = []
    private var ids: [Int?] = []
    private var lists: TopLists?

    private static let path = "meta_info"
    private static let topPath = "meta_info.input_top_logprobs"

    /// - Returns: nil if the object has no `input_token_logprobs` and thus does not come from SGLang.
    init?(reading reader: inout JSONReader) throws(EngineReplyError) {
        var cursor = ReplyCursor(InputTokenLogProbs.path)
        var flat = FlatTopLists()
        var isPresent = false
        do throws(JSONError) {
            guard try reader.nextKind() == .object else {
                try reader.ignore()
                return nil
            }
            try reader.object { (reader, member) throws(JSONError) in
                cursor = ReplyCursor("\(InputTokenLogProbs.path).\(shortened(member))")
                guard try reader.nextKind() != .null else { return try reader.null() }
                switch member {
                case "input_token_logprobs":
                    isPresent = true
                    try reader.array { (reader, position) throws(JSONError) in
                        cursor.position = position
                        let (logProb, id) = try triple(&reader, &cursor) { (cursor, index) in
                            cursor.entry = .index(index)
                        }
                        logProbs.append(logProb)
                        ids.append(id)
                        cursor.entry = nil
                    }
                case "input_top_logprobs": lists = try nested(&reader, &cursor)
                default: try flat.read(member, &reader, &cursor)
                }
            }
        } catch {
            throw cursor.error(for: error)
        }
        guard isPresent else { return nil }
        if lists == nil { lists = try flat.lists(positions: logProbs.count) }
        if let lists, lists.count != logProbs.count {
            throw EngineReplyError(
                .lengthsDiffer(expected: logProbs.count, found: lists.count),
                path: InputTokenLogProbs.topPath)
        }
    }

    func reply() -> EngineReply {
        let standings = (0..<(lists?.count ?? 0)).map { position -> Standing in
            guard let lists, let id = ids[position] else { return .unidentified }
            return lists.ids[lists.entries(at: position)].contains(id) ? .listed : .outside(entry: nil)
        }
        return EngineReply(
            form: .inputTokenLogProbs, ids: ids, logProbs: logProbs, lists: lists, standings: standings,
            listPath: "meta_info.input_token_logprobs", topPath: InputTokenLogProbs.topPath)
    }
}

/// Reads lists of triples, or null if the engine has none.
private func nested(_ reader: inout JSONReader, _ cursor: inout ReplyCursor) throws(JSONError) -> TopLists {
    var lists = TopLists()
    try reader.array { (reader, position) throws(JSONError) in
        cursor.position = position
        if try reader.nextKind() == .null {
            try reader.null()
            return lists.endPosition(isPresent: false)
        }
        try reader.array { (reader, entry) throws(JSONError) in
            cursor.entry = .index(entry)
            let (logProb, id) = try triple(&reader, &cursor) { (cursor, index) in
                cursor.detail = "[\(index)]"
            }
            cursor.detail = ""
            lists.logProbs.append(logProb)
            lists.ids.append(id)
        }
        cursor.entry = nil
        lists.endPosition(isPresent: true)
    }
    return lists
}

/// Reads [logprob, token id, …]. Further elements are ignored.
private func triple(
    _ reader: inout JSONReader, _ cursor: inout ReplyCursor, at place: (inout ReplyCursor, Int) -> Void
) throws(JSONError) -> (logProb: Double, id: Int) {
    var logProb: Double?
    var id: Int?
    var count = 0
    try reader.array { (reader, index) throws(JSONError) in
        count = index + 1
        switch index {
        case 0:
            place(&cursor, 0)
            logProb = try reader.logProb()
        case 1:
            place(&cursor, 1)
            id = try reader.wholeNumber(&cursor)
        default: try reader.ignore()
        }
    }
    guard let logProb, let id else {
        throw cursor.fail(
            .invalidCount(expected: "a log-prob and a token id", found: "\(count) elements"), reader)
    }
    return (logProb, id)
}
