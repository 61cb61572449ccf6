/// The parsed request target (RFC 9112, section 3.2): origin form `/path?query`, absolute form
/// `http://host/path?query`, or `*`.
struct RequestTarget: Equatable {
    let path: String
    let query: [QueryItem]

    /// - Parameter target: as sent, still percent-encoded.
    /// - Complexity: O(bytes).
    init(parsing target: [UInt8]) throws(MalformedRequest) {
        var start = 0
        if target == [UInt8(ascii: "*")] {
            path = "*"
            query = []
            return
        }
        for scheme in ["http://", "https://"] where target.starts(with: scheme.utf8) {
            let authority = target[scheme.utf8.count...]
            start = authority.firstIndex { $0 == slash || $0 == questionMark } ?? target.endIndex
        }
        if start == target.count {
            guard start > 0 else { throw .targetInvalid("") }
            path = "/"
            query = []
            return
        }
        guard target[start] == slash || (start > 0 && target[start] == questionMark) else {
            throw .targetInvalid(String(decoding: target.prefix(80), as: UTF8.self))
        }
        let mark = target[start...].firstIndex(of: questionMark) ?? target.endIndex
        let decoded = try Self.decoded(target, start..<mark, of: .path)
        path = decoded.isEmpty ? "/" : decoded
        query = mark == target.endIndex ? [] : try Self.items(of: target, from: mark + 1)
    }

    private static func items(of target: [UInt8], from start: Int) throws(MalformedRequest) -> [QueryItem] {
        var items: [QueryItem] = []
        var index = start
        while index < target.endIndex {
            let end = target[index...].firstIndex(of: UInt8(ascii: "&")) ?? target.endIndex
            if index < end {
                let equals = target[index..<end].firstIndex(of: UInt8(ascii: "=")) ?? end
                items.append(
                    QueryItem(
                        name: try decoded(target, index..<equals, of: .query),
                        value: try decoded(target, min(equals + 1, end)..<end, of: .query)))
            }
            index = end + 1
        }
        return items
    }

    /// Percent-decodes and checks for UTF-8.
    ///
    /// Refuses literal blanks and control bytes anywhere, and encoded control bytes in the path, because they could cut
    /// or break a file name or a log line. An encoded line break in a query is legitimate (pretty-printed JSON).
    private static func decoded(
        _ target: [UInt8], _ range: Range<Int>, of part: MalformedRequest.TargetComponent
    ) throws(MalformedRequest) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            var byte = target[index]
            let position = index
            if byte <= 0x20 || byte == 0x7F { throw .controlByte(byte, position: position) }
            switch byte {
            case UInt8(ascii: "%"):
                guard index + 2 < range.upperBound, let high = hexadecimal(target[index + 1]),
                    let low = hexadecimal(target[index + 2])
                else { throw .percentEncodingInvalid(position: index) }
                byte = high << 4 | low
                if byte == 0 || part == .path && (byte < 0x20 || byte == 0x7F) {
                    throw .controlByte(byte, position: position)
                }
                index += 3
            case UInt8(ascii: "+") where part == .query:
                byte = UInt8(ascii: " ")
                index += 1
            default:
                index += 1
            }
            bytes.append(byte)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .notUTF8(part) }
        return text
    }

    private static func hexadecimal(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

private let slash = UInt8(ascii: "/")
private let questionMark = UInt8(ascii: "?")
