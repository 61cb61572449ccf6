import Batches
import JSON

/// The texts as a request gives them, before it is known how many tokens there are.
enum GivenTexts: Sendable {
    /// One for each rollout; nil where it has none. `strange` of them were no lists of strings.
    case rollouts([TokenTexts.Row?], strange: Int)
    /// `__metadata__["tokens"]` of safetensors.
    case metadata(String)

    /// The texts of the sequences that have one for each token, and of how many sequences they were ignored: texts are for
    /// people, and no reason to refuse a batch.
    func fitted(to layout: TokenLayout) -> (texts: TokenTexts?, ignored: Int) {
        switch self {
        case .rollouts(let rows, let strange):
            let fitted = GivenTexts.fitted(rows, to: layout)
            return (fitted.texts, fitted.ignored + strange)
        case .metadata(let text):
            guard let rows = GivenTexts.read(text, layout) else { return (nil, layout.rows.count) }
            return GivenTexts.fitted(rows, to: layout)
        }
    }

    private static func fitted(
        _ rows: [TokenTexts.Row?], to layout: TokenLayout
    ) -> (texts: TokenTexts?, ignored: Int) {
        guard rows.count == layout.rows.count else { return (nil, layout.rows.count) }
        var ignored = 0
        let fitted = rows.enumerated().map { index, row -> TokenTexts.Row? in
            guard let row else { return nil }
            let count = layout.rows[index].count
            if row.count == count { return row }
            // What pads a row to the length of the longest has no text.
            if case .padded = layout.kind, row.count < count { return row.padded(to: count) }
            ignored += 1
            return nil
        }
        return (fitted.contains { $0 != nil } ? TokenTexts(rows: fitted) : nil, ignored)
    }

    /// B lists of strings, or one list of all tokens where there is one sequence or they are packed; nil for anything else.
    private static func read(_ text: String, _ layout: TokenLayout) -> [TokenTexts.Row?]? {
        guard text.utf8.count <= TokenTexts.mostBytes else { return nil }
        var reader = JSONReader(Array(text.utf8), depthLimit: 3)
        do throws(JSONError) {
            if try reader.startsNestedArray() {
                var rows: [TokenTexts.Row?] = []
                try reader.array { (reader, _) throws(JSONError) in
                    rows.append(try TokenTexts.Row(reading: &reader))
                }
                try reader.end()
                return rows
            }
            let tokens = try reader.strings()
            try reader.end()
            return split(tokens, layout)
        } catch {
            return nil
        }
    }

    private static func split(_ tokens: [String], _ layout: TokenLayout) -> [TokenTexts.Row?]? {
        guard tokens.count == layout.rows.tokens else { return nil }
        if case .padded = layout.kind, layout.rows.count > 1 { return nil }
        return (0..<layout.rows.count).map { index in
            var row = TokenTexts.Row()
            for token in tokens[layout.rows[index]] { row.append(token) }
            return row
        }
    }
}

extension TokenTexts.Row {
    init(reading reader: inout JSONReader) throws(JSONError) {
        self.init()
        try reader.array { (reader, _) throws(JSONError) in append(try reader.string()) }
    }

    /// Nil, with the value skipped, where it is no list of strings.
    static func ifAny(_ reader: inout JSONReader) throws(JSONError) -> TokenTexts.Row? {
        guard try reader.nextKind() == .array else {
            try reader.skip()
            return nil
        }
        var row: TokenTexts.Row? = TokenTexts.Row()
        try reader.array { (reader, _) throws(JSONError) in
            if try reader.nextKind() == .string {
                let token = try reader.string()
                row?.append(token)
            } else {
                row = nil
                try reader.skip()
            }
        }
        return row
    }
}

extension JSONReader {
    fileprivate mutating func strings() throws(JSONError) -> [String] {
        var strings: [String] = []
        try array { (reader, _) throws(JSONError) in strings.append(try reader.string()) }
        return strings
    }
}
