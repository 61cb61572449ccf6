extension JSONReader {
    /// Reads a string: escapes resolved, UTF-8 checked, lone surrogates and control characters refused.
    package mutating func string() throws(JSONError) -> String {
        guard try nextKind() == .string else {
            throw JSONError(.wrongKind(expected: "a string"), byte: position)
        }
        let start = position + 1
        var end = start
        while end < bytes.count, bytes[end] != UInt8(ascii: "\""), bytes[end] != UInt8(ascii: "\\"),
            bytes[end] >= 0x20
        { end += 1 }
        guard end < bytes.count else { throw JSONError(.unexpectedEnd, byte: end) }
        if bytes[end] == UInt8(ascii: "\"") {
            position = end + 1
            return try validated(bytes[start..<end], at: start)
        }
        return try stringWithEscapes(from: start)
    }

    /// The bytes between a string's quotes when it holds no escape, without validating or copying: for base64.
    /// nil when the string holds an escape; the position then does not move.
    package mutating func plainStringRange() throws(JSONError) -> Range<Int>? {
        guard try nextKind() == .string else {
            throw JSONError(.wrongKind(expected: "a string"), byte: position)
        }
        let start = position + 1
        var end = start
        while end < bytes.count, bytes[end] != UInt8(ascii: "\"") {
            if bytes[end] == UInt8(ascii: "\\") { return nil }
            end += 1
        }
        guard end < bytes.count else { throw JSONError(.unexpectedEnd, byte: end) }
        position = end + 1
        return start..<end
    }

    private func validated(_ slice: some Sequence<UInt8>, at start: Int) throws(JSONError) -> String {
        guard let text = String(validating: slice, as: UTF8.self) else {
            throw JSONError(.invalidUTF8, byte: start)
        }
        return text
    }

    private mutating func stringWithEscapes(from start: Int) throws(JSONError) -> String {
        var text: [UInt8] = []
        var cursor = start
        while true {
            guard cursor < bytes.count else { throw JSONError(.unexpectedEnd, byte: cursor) }
            let byte = bytes[cursor]
            cursor += 1
            switch byte {
            case UInt8(ascii: "\""):
                position = cursor
                return try validated(text, at: start)
            case UInt8(ascii: "\\"):
                try appendEscape(at: &cursor, to: &text)
            case 0..<0x20:
                throw JSONError(.unexpectedByte(byte, expected: "a character of a string"), byte: cursor - 1)
            default:
                text.append(byte)
            }
        }
    }

    private func appendEscape(at cursor: inout Int, to text: inout [UInt8]) throws(JSONError) {
        guard cursor < bytes.count else { throw JSONError(.unexpectedEnd, byte: cursor) }
        let kind = bytes[cursor]
        cursor += 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(kind)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            let unit = try hexadecimal(at: &cursor)
            var scalar = UInt32(unit)
            if (0xD800..<0xDC00).contains(unit) {
                guard cursor + 1 < bytes.count, bytes[cursor] == UInt8(ascii: "\\"),
                    bytes[cursor + 1] == UInt8(ascii: "u")
                else { throw JSONError(.invalidEscape, byte: cursor) }
                cursor += 2
                let low = try hexadecimal(at: &cursor)
                guard (0xDC00..<0xE000).contains(low) else { throw JSONError(.invalidEscape, byte: cursor) }
                scalar = 0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(low) - 0xDC00)
            }
            guard let character = Unicode.Scalar(scalar) else {
                throw JSONError(.invalidEscape, byte: cursor)
            }
            text.append(contentsOf: UTF8.encode(character) ?? UTF8.encodedReplacementCharacter)
        default: throw JSONError(.invalidEscape, byte: cursor - 1)
        }
    }

    private func hexadecimal(at cursor: inout Int) throws(JSONError) -> UInt16 {
        guard cursor + 4 <= bytes.count else { throw JSONError(.unexpectedEnd, byte: bytes.count) }
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(bytes[cursor])).hexDigitValue, bytes[cursor] < 0x80
            else {
                throw JSONError(.invalidEscape, byte: cursor)
            }
            unit = unit << 4 | UInt16(digit)
            cursor += 1
        }
        return unit
    }
}
