/// In a query, `+` stands for a blank, so `1e+1` arrives as `1e 1`.
enum BlankForPlus {
    private static let advice = "a + in a query is a blank; write %2B, or leave it out"

    /// Returns whether the text would be a number if its blank were the + of an exponent or a sign.
    static func isNumber(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.indices.contains { spoils(bytes, $0) }
            && Double(text.replacing(" ", with: "+")) != nil
    }

    /// Returns the reason, with advice if a blank near this byte spoils a number.
    static func hint(_ reason: String, near byte: Int, in text: String) -> String {
        let bytes = Array(text.utf8)
        let nearby = max(0, byte - 8)..<max(0, min(bytes.count, byte + 8))
        return nearby.contains { spoils(bytes, $0) } ? "\(reason); \(advice)" : reason
    }

    /// Returns the same for the value of an option.
    static func hint(_ reason: String, for text: String) -> String {
        isNumber(text) ? "\(reason); \(advice)" : reason
    }

    /// Finds a blank before a digit that follows the letter of an exponent or begins the text.
    private static func spoils(_ bytes: [UInt8], _ place: Int) -> Bool {
        guard bytes[place] == UInt8(ascii: " "), place + 1 < bytes.count, isDigit(bytes[place + 1]) else {
            return false
        }
        return place == 0
            || (bytes[place - 1] | 0x20 == UInt8(ascii: "e") && place > 1 && isDigit(bytes[place - 2]))
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: ".")
    }
}
