/// Base64 (RFC 4648 §4): the standard alphabet, padded, without line breaks.
package enum Base64 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// 255 for bytes outside the alphabet.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, byte) in alphabet.enumerated() { values[Int(byte)] = UInt8(value) }
        return values
    }()

    package static func encode(_ bytes: [UInt8]) -> [UInt8] {
        encode(bytes, quoted: false, while: { true }) ?? []
    }

    /// - Parameters:
    ///   - quoted: whether to add quotation marks, as in JSON.
    ///   - isWanted: called for every few thousand bytes.
    /// - Returns: nil if it returned false.
    package static func encode(_ bytes: [UInt8], quoted: Bool, while isWanted: () -> Bool) -> [UInt8]? {
        var text: [UInt8] = []
        text.reserveCapacity(encodedCount(bytes.count) + (quoted ? 2 : 0))
        if quoted { text.append(UInt8(ascii: "\"")) }
        let alphabet = Base64.alphabet
        var index = 0
        while index < bytes.count {
            if index % 12_288 == 0, !isWanted() { return nil }
            let left = bytes.count - index
            let group =
                UInt32(bytes[index]) << 16 | (left > 1 ? UInt32(bytes[index + 1]) << 8 : 0)
                | (left > 2 ? UInt32(bytes[index + 2]) : 0)
            text.append(alphabet[Int(group >> 18)])
            text.append(alphabet[Int(group >> 12 & 63)])
            text.append(left > 1 ? alphabet[Int(group >> 6 & 63)] : UInt8(ascii: "="))
            text.append(left > 2 ? alphabet[Int(group & 63)] : UInt8(ascii: "="))
            index += 3
        }
        if quoted { text.append(UInt8(ascii: "\"")) }
        return text
    }

    /// Returns the number of digits and padding for this number of bytes.
    package static func encodedCount(_ count: Int) -> Int { (count + 2) / 3 * 4 }

    /// Decodes the bytes, or throws the first fault with its position.
    /// - Parameter allowsURI: whether `data:…;base64,`, in any letter case, may precede them (RFC 3986 §3.1, RFC 2397).
    package static func decode(
        _ text: ArraySlice<UInt8>, allowsURI: Bool = false
    ) -> Result<[UInt8], InvalidBase64> {
        let scheme = text.prefix(5).map { $0 | 0x20 }
        guard allowsURI, scheme.elementsEqual("data:".utf8) else { return decode(digits: text) }
        guard let comma = text.prefix(256).firstIndex(of: UInt8(ascii: ",")),
            text[..<comma].suffix(7).map({ lowercase($0) }).elementsEqual(";base64".utf8)
        else { return .failure(InvalidBase64("not a data URI of base64", offset: 0)) }
        let start = comma + 1
        return decode(digits: text[start...]).mapError { error in
            InvalidBase64(error.reason, offset: start - text.startIndex + error.offset)
        }
    }

    private static func lowercase(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    private static func decode(digits text: ArraySlice<UInt8>) -> Result<[UInt8], InvalidBase64> {
        let padding = text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
        let start = text.startIndex
        let digits = text.count - padding
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        let values = Base64.values
        var group: UInt32 = 0
        for index in 0..<digits {
            let byte = text[start + index]
            let value = values[Int(byte)]
            guard value < 64 else {
                return .failure(InvalidBase64(reason(for: byte), offset: index))
            }
            group = group << 6 | UInt32(value)
            if index % 4 == 3 {
                bytes.append(UInt8(truncatingIfNeeded: group >> 16))
                bytes.append(UInt8(truncatingIfNeeded: group >> 8))
                bytes.append(UInt8(truncatingIfNeeded: group))
                group = 0
            }
        }
        guard text.count % 4 == 0 else {
            // A group of four has at least two digits.
            let isCut = digits % 4 == 1
            let wanted =
                isCut ? "truncated base64: the last group has one digit" : "base64 without its padding"
            return .failure(
                InvalidBase64(
                    padding > (4 - digits % 4) % 4 ? "base64 with too much padding" : wanted, offset: digits))
        }
        // The bits after the last whole byte must be zero, so that each content has exactly one text.
        switch padding {
        case 1:
            guard group & 3 == 0 else { return .failure(.surplusBits(at: digits - 1)) }
            bytes.append(UInt8(truncatingIfNeeded: group >> 10))
            bytes.append(UInt8(truncatingIfNeeded: group >> 2))
        case 2:
            guard group & 15 == 0 else { return .failure(.surplusBits(at: digits - 1)) }
            bytes.append(UInt8(truncatingIfNeeded: group >> 4))
        default: break
        }
        return .success(bytes)
    }

    /// Characters that people send in place of base64 digits.
    private static func reason(for byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: " "): "a blank in base64, which may have been a + before URL decoding"
        case 0x0A, 0x0D, 0x09: "a line break or tab in base64"
        case UInt8(ascii: "%"): "percent-encoded base64; write + instead of %2B"
        case UInt8(ascii: "-"), UInt8(ascii: "_"):
            "base64 in the URL-safe alphabet; write + and / instead of - and _"
        case UInt8(ascii: "="): "padding within base64"
        default: "not base64"
        }
    }
}

/// The reason why a text is not base64.
package struct InvalidBase64: Error, Equatable {
    package let reason: String
    /// The position of the invalid byte, or of the missing ones.
    package let offset: Int

    package init(_ reason: String, offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    static func surplusBits(at offset: Int) -> InvalidBase64 {
        InvalidBase64("base64 with bits after the last byte that are not zero", offset: offset)
    }
}
