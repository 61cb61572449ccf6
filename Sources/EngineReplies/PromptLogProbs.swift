import JSON

/// vLLM's `prompt_logprobs`: a list over positions of null or {"<token id>": {"logprob", …}}, the realised token first.
struct PromptLogProbs {
    private var lists = OwnedLists()

    init(reading reader: inout JSONReader, path: String) throws(EngineReplyError) {
        var cursor = ReplyCursor(path)
        do throws(JSONError) {
            try reader.array { (reader, position) throws(JSONError) in
                cursor.position = position
                if try reader.nextKind() == .null {
                    try reader.null()
                    lists.own.append(nil)
                    lists.lists.endPosition(isPresent: false)
                } else {
                    try readPosition(&reader, &cursor)
                }
            }
        } catch {
            throw cursor.error(for: error)
        }
    }

    private mutating func readPosition(
        _ reader: inout JSONReader, _ cursor: inout ReplyCursor
    ) throws(JSONError) {
        try reader.object { (reader, name) throws(JSONError) in
            cursor.entry = .name(name)
            guard let id = tokenID(name) else {
                throw cursor.fail(.invalidTokenID(shortened(name)), reader)
            }
            var logProb: Double?
            try reader.object { (reader, member) throws(JSONError) in
                guard member == "logprob" else { return try reader.ignore() }
                cursor.detail = ".logprob"
                logProb = try reader.logProb()
                cursor.detail = ""
            }
            guard let logProb else { throw cursor.fail(.missingMember("logprob"), reader) }
            lists.lists.ids.append(id)
            lists.lists.logProbs.append(logProb)
        }
        cursor.entry = nil
        // Some versions write a position without entries, such as the first, as an empty object.
        let isEmpty = lists.lists.isAtStart
        lists.own.append(isEmpty ? nil : 0)
        lists.lists.endPosition(isPresent: !isEmpty)
    }

    /// - Parameter promptIDs: the reply's `prompt_token_ids`. If each of them is in the list of its position, aligned
    ///   at the end, they name the realised tokens. Without them, a writer that sorts members loses which token came
    ///   first.
    func reply(path: String, promptIDs: [Int]?) -> EngineReply {
        var owned = lists
        if let places = promptIDs.flatMap(places(of:)) { owned.own = places }
        let lists = owned.lists
        let entries = owned.own.enumerated().map { position, own in
            own.map { lists.entries(at: position).lowerBound + $0 }
        }
        return EngineReply(
            form: .promptLogProbs, ids: entries.map { $0.map { lists.ids[$0] } },
            logProbs: entries.map { $0.map { lists.logProbs[$0] } ?? -.infinity },
            lists: lists, standings: owned.standings(), listPath: path, topPath: path)
    }

    private func places(of ids: [Int]) -> [Int?]? {
        let count = lists.lists.count
        var places = lists.own
        for (back, id) in ids.suffix(count).reversed().enumerated() where places[count - 1 - back] != nil {
            let position = count - 1 - back
            let entries = lists.lists.entries(at: position)
            guard let place = lists.lists.ids[entries].firstIndex(of: id) else { return nil }
            places[position] = place - entries.lowerBound
        }
        return places
    }
}
