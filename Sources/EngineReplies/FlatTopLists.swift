import Text
import JSON

/// SGLang's flat form of the likeliest tokens: entry j of position i stands at (i − null_prefix)·k + j of two columns,
/// `shape` being [positions, k]; the columns are lists of numbers, or base64 of little-endian float32 and int32.
struct FlatTopLists {
    private var logProbs: [Double]?
    private var ids: [Int]?
    private var shape: [Int]?
    private var nullPrefix: Int?
    /// The path of the columns.
    private var columns = (logProbs: "val_flat", ids: "idx_flat")

    private static let prefix = "input_top_logprobs_"
    private static let valueType = "float32"
    private static let idType = "int32"

    /// Reads one member of `meta_info`. Members of other forms are skipped.
    mutating func read(
        _ member: String, _ reader: inout JSONReader, _ cursor: inout ReplyCursor
    ) throws(JSONError) {
        guard member.hasPrefix(FlatTopLists.prefix) else { return try reader.ignore() }
        switch member.dropFirst(FlatTopLists.prefix.count) {
        case "val_flat":
            logProbs = try list(&reader, &cursor) { (reader, _) throws(JSONError) in try reader.logProb() }
        case "idx_flat":
            ids = try list(&reader, &cursor) { (reader, cursor) throws(JSONError) in
                try reader.wholeNumber(&cursor)
            }
        case "val_flat_b64":
            columns.logProbs = "val_flat_b64"
            logProbs = try words(&reader, &cursor).map {
                meaning(ofLogProb: Double(Float(bitPattern: $0)))
            }
        case "idx_flat_b64":
            columns.ids = "idx_flat_b64"
            ids = try words(&reader, &cursor).map { Int(Int32(bitPattern: $0)) }
        case "val_flat_b64_dtype": try elementType(FlatTopLists.valueType, &reader, &cursor)
        case "idx_flat_b64_dtype": try elementType(FlatTopLists.idType, &reader, &cursor)
        case "shape": shape = try list(&reader, &cursor, count)
        case "null_prefix": nullPrefix = try count(&reader, &cursor)
        default: try reader.ignore()
        }
    }

    /// Returns the lists of all positions; nil if the reply has none of this form.
    /// - Complexity: O(positions + entries), whatever the shape says.
    func lists(positions: Int) throws(EngineReplyError) -> TopLists? {
        guard logProbs != nil || ids != nil || shape != nil else { return nil }
        guard let logProbs else { throw missing("val_flat") }
        guard let ids else { throw missing("idx_flat") }
        guard let shape else { throw missing("shape") }
        guard let nullPrefix else { throw missing("null_prefix") }
        guard shape.count == 2, shape[1] > 0 || shape[0] == 0 else {
            throw error(.invalidCount(expected: "[positions, k]", found: "\(shape.prefix(4))"), at: "shape")
        }
        let (elements, isTooLarge) = shape[0].multipliedReportingOverflow(by: shape[1])
        for (name, found) in [(columns.logProbs, logProbs.count), (columns.ids, ids.count)]
        where isTooLarge || found != elements {
            throw error(.lengthsDiffer(expected: isTooLarge ? .max : elements, found: found), at: name)
        }
        let (covered, isBeyond) = nullPrefix.addingReportingOverflow(shape[0])
        guard !isBeyond, covered == positions else {
            throw error(
                .lengthsDiffer(expected: positions, found: isBeyond ? .max : covered), at: "null_prefix")
        }
        return TopLists(logProbs: logProbs, ids: ids, nullPrefix: nullPrefix, length: shape[1])
    }

    private func missing(_ name: String) -> EngineReplyError {
        EngineReplyError(.missingMember(FlatTopLists.prefix + name), path: "meta_info")
    }

    private func error(_ reason: EngineReplyError.Reason, at name: String) -> EngineReplyError {
        EngineReplyError(reason, path: "meta_info.\(FlatTopLists.prefix)\(name)")
    }

    private func elementType(
        _ expected: String, _ reader: inout JSONReader, _ cursor: inout ReplyCursor
    ) throws(JSONError) {
        let found = try reader.string()
        guard found == expected else {
            throw cursor.fail(.unsupportedElementType(shortened(found), expected: expected), reader)
        }
    }
}

private func list<Element>(
    _ reader: inout JSONReader, _ cursor: inout ReplyCursor,
    _ element: (inout JSONReader, inout ReplyCursor) throws(JSONError) -> Element
) throws(JSONError) -> [Element] {
    var elements: [Element] = []
    try reader.array { (reader, index) throws(JSONError) in
        cursor.position = index
        elements.append(try element(&reader, &cursor))
    }
    cursor.position = nil
    return elements
}

/// Reads a whole number that is not negative.
private func count(_ reader: inout JSONReader, _ cursor: inout ReplyCursor) throws(JSONError) -> Int {
    let number = try reader.number()
    guard let count = number.integer, count >= 0 else {
        throw cursor.fail(
            .invalidCount(expected: "a whole number from 0 on", found: "\(number.double ?? .nan)"), reader)
    }
    return Int(count)
}

/// Decodes little-endian 32-bit words in base64.
private func words(_ reader: inout JSONReader, _ cursor: inout ReplyCursor) throws(JSONError) -> [UInt32] {
    let text = Array(try reader.string().utf8)
    switch Base64.decode(text[...]) {
    case .failure(let error): throw cursor.fail(.invalidBase64(offset: error.offset), reader)
    case .success(let bytes):
        guard bytes.count % 4 == 0 else {
            throw cursor.fail(
                .invalidCount(expected: "4 bytes for each element", found: "\(bytes.count) bytes"), reader)
        }
        return stride(from: 0, to: bytes.count, by: 4).map { start in
            (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << (8 * UInt32($1)) }
        }
    }
}
