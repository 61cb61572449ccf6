import JSON

/// The texts of a batch's tokens as the client wrote them. They are shown and echoed, and nothing is computed from
/// them.
struct TokenTexts: Sendable, Equatable {
    /// The texts of one sequence.
    struct Response: Sendable, Equatable {
        /// UTF-8 of all tokens, one after another.
        private(set) var text: [UInt8] = []
        /// The end of each token in `text`.
        private(set) var ends: [Int32] = []

        mutating func append(_ token: String) {
            text += token.utf8
            // Texts are far shorter than 2 GiB: see ``TokenTexts/mostBytes``.
            ends.append(Int32(clamping: text.count))
        }

        var count: Int { ends.count }

        /// Returns the texts with empty ones appended.
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

    /// One for each sequence; nil if the client gave none, or none that fit.
    let responses: [Response?]

    /// The maximum length. Longer texts are not texts of tokens.
    static let mostBytes = 64 << 20

    /// The approximate memory of the texts, in bytes.
    var bytes: Int {
        responses.reduce(0) { $0 + 64 + ($1.map { $0.text.count + 4 * $0.count } ?? 0) }
    }

    /// The texts as JSON: B lists of strings, with null for a sequence without texts.
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
