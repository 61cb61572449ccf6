/// A secret that lets in whoever sends it: `b64token` of RFC 6750, section 2.1.
package struct BearerToken: Sendable, Hashable {
    /// Shorter ones can be guessed; longer ones are most likely another file than was meant.
    package static let lengths = 8...512

    /// As many bytes for every token, zeros behind it, so that comparing takes the same time for each.
    let padded: [UInt8]
    let count: Int

    /// Why a text is no token. It doesn't say what the text was.
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
