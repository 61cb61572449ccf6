import Logging

/// A log record under construction. It consists of bytes, not text, because each request writes a line on the thread
/// that answers it.
struct LogLine {
    private(set) var bytes: [UInt8] = []

    init() { bytes.reserveCapacity(512) }

    mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func append(_ time: Timestamp) { time.write(to: &bytes) }

    /// Appends a JSON string (RFC 8259, section 7).
    mutating func appendQuoted(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        if LogLine.isPrintable(text, and: { $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
            append(text)
        } else {
            for scalar in LogLine.unbroken(text) {
                if scalar == "\"" || scalar == "\\" { bytes.append(UInt8(ascii: "\\")) }
                bytes.append(contentsOf: String(scalar).utf8)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Appends a value for people, in quotes if it would otherwise look like several.
    mutating func appendWord(_ text: String) {
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=") }
        if isPlain { appendUnbroken(text) } else { appendQuoted(text) }
    }

    mutating func appendUnbroken(_ text: String) {
        // Nearly all text is plain. Decoding scalars would take most of a line's time.
        if LogLine.isPrintable(text) {
            append(text)
        } else {
            for scalar in LogLine.unbroken(text) { bytes.append(contentsOf: String(scalar).utf8) }
        }
    }

    /// Keeps numbers and Booleans as such, so that a log store can compare and sum them.
    mutating func append(_ value: Logger.MetadataValue) {
        switch value {
        case .string(let text): appendQuoted(text)
        case .stringConvertible(let value):
            switch value {
            case let number as Int: append(String(number))
            case let number as Double where number.isFinite: append(number.description)
            case let truth as Bool: append(truth ? "true" : "false")
            default: appendQuoted(value.description)
            }
        case .array(let values):
            append("[")
            for (index, value) in values.enumerated() {
                if index > 0 { append(",") }
                append(value)
            }
            append("]")
        case .dictionary(let members):
            append("{")
            for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { append(",") }
                appendQuoted(member.key)
                append(":")
                append(member.value)
            }
            append("}")
        }
    }

    /// Returns whether all bytes are printable ASCII and satisfy the predicate.
    private static func isPrintable(_ text: String, and isWanted: (UInt8) -> Bool = { _ in true }) -> Bool {
        text.utf8.allSatisfy { (0x20..<0x7F).contains($0) && isWanted($0) }
    }

    /// Replaces characters that end a line or control a terminal with blanks, because they could forge records. Writes
    /// invisible characters and those that reverse the text direction as `<U+202E>`, because they could disguise one
    /// text as another.
    private static func unbroken(_ text: String) -> [Unicode.Scalar] {
        text.unicodeScalars.flatMap { scalar -> [Unicode.Scalar] in
            switch scalar.value {
            case 0..<0x20, 0x7F...0x9F, 0x2028, 0x2029: return [" "]
            case 0x20..<0x7F: return [scalar]
            default:
                let properties = scalar.properties
                guard properties.generalCategory == .format || properties.isDefaultIgnorableCodePoint else {
                    return [scalar]
                }
                return Array("<U+\(String(scalar.value, radix: 16, uppercase: true))>".unicodeScalars)
            }
        }
    }
}
