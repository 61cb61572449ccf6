/// A secret that admits every client that sends it: `b64token` of RFC 6750, section 2.1.
package struct BearerToken: Sendable, Hashable {
    /// The allowed lengths. Shorter tokens can be guessed, and longer ones most likely come from the wrong file.
    package static let lengths = 8...512

    /// The token padded with zeros to the same length for every token, so that each comparison takes the same time.
    let padded: [UInt8]
    let count: Int

    /// Returns the reason why a text is not a token, without repeating the text.
    package enum Flaw: Error, Equatable {
        case length(Int)
        case characters
    }

    package init(_ text: some BidirectionalCollection<UInt8>) throws(Flaw) {
        guard let last = text.lastIndex(where: { $0 != UInt8(ascii: "=") }),
            text[...last].allSatisfy(BearerToken.isAllowed)
        else { throw .characters }
        guard BearerToken.lengths.contains(text.count) else { throw .length(text.count) }
        count = text.count
        padded = Array(text) + [UInt8](repeating: 0, count: BearerToken.lengths.upperBound - text.count)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"), UInt8(ascii: "+"), UInt8(ascii: "/"):
            true
        default: false
        }
    }
}

extension BearerToken.Flaw: CustomStringConvertible {
    package var description: String {
        switch self {
        case .length(let count):
            let lengths = BearerToken.lengths
            return "has \(count) characters; \(lengths.lowerBound) to \(lengths.upperBound) are taken"
        case .characters:
            return "has a character other than letters, digits and -._~+/ with = only at its end"
        }
    }
}
