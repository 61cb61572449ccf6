package import JSON

/// Why bytes are not a safetensors file, and at which byte of them.
package struct SafetensorsError: Error, Equatable, Sendable {
    package enum Reason: Equatable, Sendable {
        case truncatedLength
        case headerTooLarge(declared: UInt64)
        /// The format would allow it, the reader does not.
        case headerAboveLimit(declared: Int, limit: Int)
        case truncatedHeader(declared: Int, available: Int)
        case headerNotAnObject
        case header(JSONError)
        case unknownElementType(tensor: String, String)
        case shapeOverflow(tensor: String, [Int])
        case offsetsOutOfRange(tensor: String, begin: Int, end: Int, available: Int)
        case holeOrOverlap(tensor: String, begin: Int, expected: Int)
        case sizeMismatch(tensor: String, bytes: Int, expected: Int)
        case trailingData(used: Int, available: Int)
    }

    package let reason: Reason
    package let byte: Int

    init(_ reason: Reason, byte: Int) {
        self.reason = reason
        self.byte = byte
    }

    /// The tensor at fault, if it is one.
    package var tensor: String? {
        switch reason {
        case .truncatedLength, .headerTooLarge, .headerAboveLimit, .truncatedHeader, .headerNotAnObject,
            .header, .trailingData:
            nil
        case .unknownElementType(let name, _), .shapeOverflow(let name, _),
            .offsetsOutOfRange(let name, _, _, _),
            .holeOrOverlap(let name, _, _), .sizeMismatch(let name, _, _):
            name
        }
    }
}

extension SafetensorsError: CustomStringConvertible {
    package var description: String {
        switch reason {
        case .truncatedLength: "a safetensors body starts with 8 bytes of header length; it ends before them"
        case .headerTooLarge(let declared):
            "the header declares \(declared) bytes; the format allows \(Safetensors.maximumHeaderBytes)"
        case .headerAboveLimit(let declared, let limit):
            "the header declares \(declared) bytes; at most \(limit) are read here"
        case .truncatedHeader(let declared, let available):
            "the header declares \(declared) bytes; \(available) follow its length"
        case .headerNotAnObject: "the header must be a JSON object starting with '{'"
        case .header(let error): "the header violates the format: \(error)"
        case .unknownElementType(_, let word):
            "element type \"\(word)\" is not one of \(ElementType.allCases.map(\.rawValue).joined(separator: ", "))"
        case .shapeOverflow(_, let shape):
            // A header has room for a shape of millions of dimensions.
            "shape \(Array(shape.prefix(Safetensors.maximumRank)))\(shape.count > Safetensors.maximumRank ? "…" : "") "
                + "of \(shape.count) dimensions has too many dimensions or elements"
        case .offsetsOutOfRange(_, let begin, let end, let available):
            "data_offsets [\(begin), \(end)] do not lie in the \(available) bytes of data"
        case .holeOrOverlap(_, let begin, let expected):
            "data starts at \(begin), but the tensor before it ends at \(expected): no holes or overlaps are allowed"
        case .sizeMismatch(_, let bytes, let expected):
            "data_offsets span \(bytes) bytes, but shape and element type need \(expected)"
        case .trailingData(let used, let available):
            "\(available) bytes of data follow the header, the tensors use \(used)"
        }
    }
}
