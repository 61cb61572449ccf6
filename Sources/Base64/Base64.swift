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
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        let alphabet = Base64.alphabet
        var index = 0
        while index < bytes.count {
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
        return text
    }

    /// The bytes, or the position of the first byte that doesn't belong.
    package static func decode(_ text: ArraySlice<UInt8>) -> Result<[UInt8], InvalidBase64> {
        guard text.count % 4 == 0 else { return .failure(InvalidBase64(offset: text.count)) }
        guard !text.isEmpty else { return .success([]) }
        let start = text.startIndex
        let padding = text.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
        let digits = text.count - padding
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        let values = Base64.values
        var group: UInt32 = 0
        for index in 0..<digits {
            let value = values[Int(text[start + index])]
            guard value < 64 else { return .failure(InvalidBase64(offset: index)) }
            group = group << 6 | UInt32(value)
            if index % 4 == 3 {
                bytes.append(UInt8(truncatingIfNeeded: group >> 16))
                bytes.append(UInt8(truncatingIfNeeded: group >> 8))
                bytes.append(UInt8(truncatingIfNeeded: group))
                group = 0
            }
        }
        // The bits beyond the last whole byte must be zero: one text for each content.
        switch padding {
        case 1:
            guard group & 3 == 0 else { return .failure(InvalidBase64(offset: digits - 1)) }
            bytes.append(UInt8(truncatingIfNeeded: group >> 10))
            bytes.append(UInt8(truncatingIfNeeded: group >> 2))
        case 2:
            guard group & 15 == 0 else { return .failure(InvalidBase64(offset: digits - 1)) }
            bytes.append(UInt8(truncatingIfNeeded: group >> 4))
        default: break
        }
        return .success(bytes)
    }
}

/// A byte that doesn't belong, or an end too early.
package struct InvalidBase64: Error, Equatable {
    /// Where in the text.
    package let offset: Int

    package init(offset: Int) { self.offset = offset }
}
