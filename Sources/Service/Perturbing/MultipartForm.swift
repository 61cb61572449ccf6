/// A parsed multipart/form-data body (RFC 7578, RFC 2046 §5.1): parts are ranges of the body, and nothing is copied.
struct MultipartForm {
    struct Part {
        let name: String
        /// The media type in lower case, without parameters; nil if not given.
        let contentType: String?
        let body: Range<Int>
    }

    let parts: [Part]

    /// The limit on parts, above any valid request. It bounds the work.
    static let maximumParts = 4096
    /// The limit on the header lines of one part together.
    static let maximumHeaderBytes = 8192

    /// - Complexity: O(body × boundary) at worst, O(body) on real bodies.
    init(parsing bytes: [UInt8], boundary: String) throws(MultipartError) {
        guard (1...70).contains(boundary.utf8.count) else {
            throw MultipartError("the boundary must be 1 to 70 characters", byte: 0)
        }
        let delimiter = Array("\r\n--\(boundary)".utf8)
        let opening = Array(delimiter.dropFirst(2))

        // The first delimiter may be at the start or after a preamble.
        var cursor: Int
        if bytes.starts(with: opening) {
            cursor = opening.count
        } else if let found = MultipartForm.find(delimiter, in: bytes, from: 0) {
            cursor = found + delimiter.count
        } else {
            throw MultipartError("the boundary of the Content-Type does not occur in the body", byte: 0)
        }

        var parts: [Part] = []
        while true {
            guard cursor + 2 <= bytes.count else {
                throw MultipartError("the body ends after a boundary", byte: cursor)
            }
            if bytes[cursor] == UInt8(ascii: "-"), bytes[cursor + 1] == UInt8(ascii: "-") { break }
            while cursor < bytes.count, bytes[cursor] == 0x20 || bytes[cursor] == 0x09 { cursor += 1 }
            guard cursor + 2 <= bytes.count, bytes[cursor] == 0x0D, bytes[cursor + 1] == 0x0A else {
                throw MultipartError("a boundary must end its line", byte: cursor)
            }
            guard parts.count < MultipartForm.maximumParts else {
                throw MultipartError("more than \(MultipartForm.maximumParts) parts", byte: cursor)
            }
            var header = PartHeader(start: cursor + 2)
            try header.read(bytes)
            guard let end = MultipartForm.find(delimiter, in: bytes, from: max(cursor, header.end - 2)) else {
                throw MultipartError("the last part is not closed by a boundary", byte: header.end)
            }
            guard let name = header.name else {
                throw MultipartError("a part needs Content-Disposition: form-data with a name", byte: cursor)
            }
            if header.contentType?.hasPrefix("multipart/") ?? false {
                throw MultipartError("a part may not be multipart itself", byte: cursor)
            }
            parts.append(
                Part(name: name, contentType: header.contentType, body: header.end..<max(header.end, end)))
            cursor = end + delimiter.count
        }
        self.parts = parts
    }

    /// Returns the end of the line that contains `start`: the position of its CRLF, or of the last byte if there is
    /// none.
    fileprivate static func lineEnd(_ bytes: [UInt8], from start: Int) -> Int {
        var line = start
        while line + 1 < bytes.count, !(bytes[line] == 0x0D && bytes[line + 1] == 0x0A) { line += 1 }
        return line
    }

    private static func find(_ needle: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        let haystack = bytes.span
        let count = needle.count
        guard haystack.count >= count else { return nil }
        var index = start
        while index <= haystack.count - count {
            if haystack[index] == needle[0] {
                var matched = 1
                while matched < count, haystack[index + matched] == needle[matched] { matched += 1 }
                if matched == count { return index }
            }
            index += 1
        }
        return nil
    }
}

/// The reason why a body is not a multipart form, with the byte at fault.
struct MultipartError: Error, Equatable {
    let reason: String
    let byte: Int

    init(_ reason: String, byte: Int) {
        self.reason = reason
        self.byte = byte
    }
}

/// The header lines of one part.
private struct PartHeader {
    let start: Int
    /// The start of the part's body.
    var end = 0
    var name: String?
    var contentType: String?

    init(start: Int) { self.start = start }

    mutating func read(_ bytes: [UInt8]) throws(MultipartError) {
        var cursor = start
        while true {
            var line = MultipartForm.lineEnd(bytes, from: cursor)
            var content = Array(bytes[cursor..<min(line, bytes.count)])
            // A line that begins with a blank continues the previous one (RFC 5322, section 2.2.3).
            while line > cursor, line + 2 < bytes.count, bytes[line + 2] == 0x20 || bytes[line + 2] == 0x09 {
                let next = MultipartForm.lineEnd(bytes, from: line + 2)
                content += bytes[line + 2..<next]
                line = next
            }
            guard line + 1 < bytes.count else {
                throw MultipartError("a part's header does not end", byte: cursor)
            }
            guard line - start <= MultipartForm.maximumHeaderBytes else {
                throw MultipartError(
                    "a part's header is longer than \(MultipartForm.maximumHeaderBytes) bytes", byte: start)
            }
            if line == cursor {
                end = cursor + 2
                return
            }
            guard let text = String(validating: content, as: UTF8.self) else {
                throw MultipartError("a part's header is not UTF-8", byte: cursor)
            }
            guard let colon = text.firstIndex(of: ":") else {
                throw MultipartError("a part's header line has no colon", byte: cursor)
            }
            let value = text[text.index(after: colon)...]
            switch text[..<colon].lowercased() {
            case "content-disposition":
                let field = ParameterizedField(String(value))
                guard field.value == "form-data" else {
                    throw MultipartError("Content-Disposition must be form-data", byte: cursor)
                }
                name = field.parameter("name")
            case "content-type": contentType = ParameterizedField(String(value)).value
            default: break
            }
            cursor = line + 2
        }
    }
}
