import Logging

/// A record as it is put together. Bytes and not text: there is a line for each request, on the thread that answers it.
struct LogLine {
    private(set) var bytes: [UInt8] = []

    init() { bytes.reserveCapacity(512) }

    mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func append(_ time: Timestamp) { time.write(to: &bytes) }

    /// A JSON string (RFC 8259, section 7).
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

    /// A value for people; in quotes where it would else look like several.
    mutating func appendWord(_ text: String) {
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=") }
        if isPlain { appendUnbroken(text) } else { appendQuoted(text) }
    }

    mutating func appendUnbroken(_ text: String) {
        // Nearly all text is; going through scalars would take most of a line's time.
        if LogLine.isPrintable(text) {
            append(text)
        } else {
            for scalar in LogLine.unbroken(text) { bytes.append(contentsOf: String(scalar).utf8) }
        }
    }

    /// Numbers and truth values stay what they are, so that a log store can compare and add them up.
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

    /// Whether nothing but printable ASCII is in it, every byte of which is as wanted.
    private static func isPrintable(_ text: String, and isWanted: (UInt8) -> Bool = { _ in true }) -> Bool {
        text.utf8.allSatisfy { (0x20..<0x7F).contains($0) && isWanted($0) }
    }

    /// What may end a line or steer a terminal becomes a blank: it would forge records. What is not seen itself but turns
    /// the rest around, or hides in it, is written out as `<U+202E>`: a reader would take one text for another.
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
