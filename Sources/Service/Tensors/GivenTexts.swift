import Batches
import JSON

/// The texts that a request gives, before it is known how many tokens there are.
enum GivenTexts: Sendable {
    /// One for each rollout; nil for rollouts without texts. `strange` is the number of rollouts whose `tokens` were
    /// not a list of strings.
    case rollouts([TokenTexts.Response?], strange: Int)
    /// `__metadata__["tokens"]` of safetensors.
    case metadata(String)

    /// Returns the texts of the sequences that have one for each token, and the number of sequences whose texts are
    /// ignored. Texts are for people, so they are no reason to refuse a batch.
    func fitted(to layout: TokenLayout) -> (texts: TokenTexts?, ignored: Int) {
        switch self {
        case .rollouts(let responses, let strange):
            let fitted = GivenTexts.fitted(responses, to: layout)
            return (fitted.texts, fitted.ignored + strange)
        case .metadata(let text):
            guard let responses = GivenTexts.read(text, layout) else { return (nil, layout.sequences.count) }
            return GivenTexts.fitted(responses, to: layout)
        }
    }

    private static func fitted(
        _ responses: [TokenTexts.Response?], to layout: TokenLayout
    ) -> (texts: TokenTexts?, ignored: Int) {
        guard responses.count == layout.sequences.count else { return (nil, layout.sequences.count) }
        var ignored = 0
        let fitted = responses.enumerated().map { index, response -> TokenTexts.Response? in
            guard let response else { return nil }
            let count = layout.sequences[index].count
            if response.count == count { return response }
            // Padding has no text.
            if case .padded = layout.kind, response.count < count { return response.padded(to: count) }
            ignored += 1
            return nil
        }
        return (fitted.contains { $0 != nil } ? TokenTexts(responses: fitted) : nil, ignored)
    }

    /// Reads B lists of strings. One list of all tokens is accepted if there is one sequence or they are packed.
    /// Returns nil for anything else.
    private static func read(_ text: String, _ layout: TokenLayout) -> [TokenTexts.Response?]? {
        guard text.utf8.count <= TokenTexts.mostBytes else { return nil }
        var reader = JSONReader(Array(text.utf8), depthLimit: 3)
        do throws(JSONError) {
            if try reader.startsNestedArray() {
                var responses: [TokenTexts.Response?] = []
                try reader.array { (reader, _) throws(JSONError) in
                    responses.append(try TokenTexts.Response(reading: &reader))
                }
                try reader.end()
                return responses
            }
            let tokens = try reader.strings()
            try reader.end()
            return split(tokens, layout)
        } catch {
            return nil
        }
    }

    private static func split(_ tokens: [String], _ layout: TokenLayout) -> [TokenTexts.Response?]? {
        guard tokens.count == layout.sequences.tokens else { return nil }
        if case .padded = layout.kind, layout.sequences.count > 1 { return nil }
        return (0..<layout.sequences.count).map { index in
            var response = TokenTexts.Response()
            for token in tokens[layout.sequences[index]] { response.append(token) }
            return response
        }
    }
}

extension TokenTexts.Response {
    init(reading reader: inout JSONReader) throws(JSONError) {
        self.init()
        try reader.array { (reader, _) throws(JSONError) in append(try reader.string()) }
    }

    /// Reads a list of strings. Any other value is skipped, and the result is nil.
    static func ifAny(_ reader: inout JSONReader) throws(JSONError) -> TokenTexts.Response? {
        guard try reader.nextKind() == .array else {
            try reader.skip()
            return nil
        }
        var response: TokenTexts.Response? = TokenTexts.Response()
        try reader.array { (reader, _) throws(JSONError) in
            if try reader.nextKind() == .string {
                let token = try reader.string()
                response?.append(token)
            } else {
                response = nil
                try reader.skip()
            }
        }
        return response
    }
}

extension JSONReader {
    fileprivate mutating func strings() throws(JSONError) -> [String] {
        var strings: [String] = []
        try array { (reader, _) throws(JSONError) in strings.append(try reader.string()) }
        return strings
    }
}
