import JSON

/// The text of a batch's tokens as the client wrote it: shown and echoed, never computed on.
struct TokenTexts: Sendable, Equatable {
    /// The texts of one sequence.
    struct Response: Sendable, Equatable {
        /// UTF-8 of all tokens, one after another.
        private(set) var text: [UInt8] = []
        /// Where each token ends in it.
        private(set) var ends: [Int32] = []

        mutating func append(_ token: String) {
            text += token.utf8
            // Bodies of 2 GiB and more are no text: see ``TokenTexts/mostBytes``.
            ends.append(Int32(clamping: text.count))
        }

        var count: Int { ends.count }

        /// With empty texts behind its own.
        func padded(to count: Int) -> Response {
            var response = self
            response.ends += repeatElement(Int32(clamping: text.count), count: count - self.count)
            return response
        }

        func write(to writer: inout JSONWriter) {
            writer.array { writer in
                var start = 0
                for end in ends {
                    writer.string(String(decoding: text[start..<Int(end)], as: UTF8.self))
                    start = Int(end)
                }
            }
        }
    }

    /// One for each sequence; nil where the client gave none, or none that fit.
    let responses: [Response?]

    /// Longer texts are none of tokens.
    static let mostBytes = 64 << 20

    /// About what they take in memory.
    var bytes: Int {
        responses.reduce(0) { $0 + 64 + ($1.map { $0.text.count + 4 * $0.count } ?? 0) }
    }

    /// B lists of strings; null for a sequence without texts.
    var json: String {
        var writer = JSONWriter(reservingCapacity: bytes)
        writer.array { writer in
            for response in responses {
                if let response { response.write(to: &writer) } else { writer.null() }
            }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
