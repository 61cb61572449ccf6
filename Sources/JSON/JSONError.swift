/// Why a text is not the JSON (RFC 8259) that was asked for, and at which byte.
package struct JSONError: Error, Equatable, Sendable {
    package enum Reason: Equatable, Sendable {
        case unexpectedEnd
        case unexpectedByte(UInt8, expected: String)
        case wrongKind(expected: String)
        case trailingBytes
        case tooDeep(limit: Int)
        case tooManyValues(limit: Int)
        case nameTooLong(limit: Int)
        case duplicateMember(String)
        case invalidUTF8
        case invalidEscape
        case invalidNumber
        case numberOutOfRange
        case nonFiniteNumber
    }

    package let reason: Reason
    /// Offset of the offending byte from the start of the text.
    package let byte: Int

    package init(_ reason: Reason, byte: Int) {
        self.reason = reason
        self.byte = byte
    }
}

extension JSONError: CustomStringConvertible {
    package var description: String {
        switch reason {
        case .unexpectedEnd: "the text ends before the value does"
        case .unexpectedByte(let byte, let expected):
            "found \(printable(byte)) where \(expected) was expected"
        case .wrongKind(let expected): "\(expected) was expected here"
        case .trailingBytes: "there are bytes after the value"
        case .tooDeep(let limit): "nested deeper than \(limit) levels"
        case .tooManyValues(let limit): "more than \(limit) values where so many make no sense"
        case .nameTooLong(let limit): "a member's name is longer than \(limit) bytes"
        case .duplicateMember(let name): "the member \"\(name)\" stands twice in one object"
        case .invalidUTF8: "a string is not valid UTF-8"
        case .invalidEscape: "a string holds an invalid escape"
        case .invalidNumber: "a number is malformed"
        case .numberOutOfRange: "a number does not fit a 64-bit float"
        case .nonFiniteNumber: "NaN and infinities are not JSON numbers"
        }
    }

    private func printable(_ byte: UInt8) -> String {
        byte > 0x20 && byte < 0x7F ? "'\(Character(Unicode.Scalar(byte)))'" : "byte \(byte)"
    }
}
