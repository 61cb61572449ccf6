import JSON
import Tensor
import TestMaterial
import Testing

/// A batch of rows of different lengths, and every encoding a client may choose for it.
///
/// All numbers are eighths between −8 and 8: exact in every float type.
struct TokenBatch: Sendable {
    /// By tensor name, one list for each row.
    var columns: [(name: String, rows: [[Double]])] = []
    /// By tensor name, V numbers for each token of each row.
    var logits: [(name: String, rows: [[[Double]]])] = []
    var responseMask: [[Int]] = []
    var tokenIDs: [[Int]]?
    /// One for each row.
    var advantages: [Double]?
    var lengths: [Int]

    init(lengths: [Int], seed: UInt64, vocabulary: Int? = nil) {
        self.lengths = lengths
        var random = SeededGenerator(seed: seed)
        func eighth(_ range: ClosedRange<Int>) -> Double { Double(Int.random(in: range, using: &random)) / 8 }
        func column(_ range: ClosedRange<Int>) -> [[Double]] {
            lengths.map { (0..<$0).map { _ in eighth(range) } }
        }
        if let vocabulary {
            for view in ["original", "preserving", "removing"] {
                logits.append(
                    (
                        "\(view).logits",
                        lengths.map { (0..<$0).map { _ in (0..<vocabulary).map { _ in eighth(-32...32) } } }
                    ))
            }
            tokenIDs = lengths.map { (0..<$0).map { _ in Int.random(in: 0..<vocabulary, using: &random) } }
        } else {
            for view in ["original", "preserving", "removing"] {
                columns.append(("\(view).log_probs", column(-24 ... -1)))
            }
            for view in ["original", "removing"] { columns.append(("\(view).entropy", column(0...32))) }
        }
        responseMask = lengths.map { (0..<$0).map { _ in Int.random(in: 0..<5, using: &random) > 0 ? 1 : 0 } }
        advantages = lengths.map { _ in eighth(-16...16) }
    }

    var offsets: [Int] { lengths.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) } }

    func rollouts(_ options: JSONValue) -> [UInt8] {
        let rollouts = lengths.indices.map { row -> JSONValue in
            var members: [JSONValue.Member] = [.init("id", .string("r\(row)"))]
            if let advantages { members.append(.init("advantage", .number(advantages[row]))) }
            members.append(.init("response_mask", list(responseMask[row])))
            if let tokenIDs { members.append(.init("token_ids", list(tokenIDs[row]))) }
            for view in ["original", "preserving", "removing"] {
                var view = (name: view, members: [JSONValue.Member]())
                for column in columns where column.name.hasPrefix(view.name + ".") {
                    view.members.append(
                        .init(String(column.name.dropFirst(view.name.count + 1)), list(column.rows[row])))
                }
                for column in logits where column.name.hasPrefix(view.name + ".") {
                    view.members.append(.init("logits", .array(column.rows[row].map(list))))
                }
                members.append(.init(view.name, .object(view.members)))
            }
            return .object(members)
        }
        return (["options": options, "rollouts": .array(rollouts)] as JSONValue).bytes
    }

    /// Nested lists, what pads them being far from any sensible value; or flat lists with cu_seqlens.
    func columnar(_ options: JSONValue, packed: Bool) -> [UInt8] {
        func nested<Element>(_ rows: [[Element]], _ padding: Element, _ json: ([Element]) -> JSONValue)
            -> JSONValue
        {
            packed ? json(rows.flatMap { $0 }) : .array(padded(rows, padding).map(json))
        }
        var members: [JSONValue.Member] = [.init("options", options)]
        for column in columns { members.append(.init(column.name, nested(column.rows, 999, list))) }
        for column in logits {
            let width = column.rows.flatMap { $0 }.first?.count ?? 0
            members.append(
                .init(
                    column.name,
                    nested(column.rows, [Double](repeating: 999, count: width)) { .array($0.map(list)) }))
        }
        members.append(.init("response_mask", nested(responseMask, 0, list)))
        if let tokenIDs { members.append(.init("token_ids", nested(tokenIDs, -100, list))) }
        if let advantages { members.append(.init("advantages", list(advantages))) }
        if packed { members.append(.init("cu_seqlens", list(offsets))) }
        return JSONValue.object(members).bytes
    }

    /// A safetensors file; padding is NaN, token −100.
    func safetensors(_ options: JSONValue, packed: Bool, type: ElementType = .float32) -> [UInt8] {
        var writer = SafetensorsWriter()
        writer.setMetadata("options", options.text)
        let extents = packed ? [lengths.reduce(0, +)] : [lengths.count, lengths.max() ?? 0]
        func flat<Element>(_ rows: [[Element]], _ padding: Element) -> [Element] {
            (packed ? rows : padded(rows, padding)).flatMap { $0 }
        }
        for column in columns {
            writer.append(
                column.name, type, shape: extents, bytes: littleEndian(flat(column.rows, .nan), type))
        }
        for column in logits {
            let width = column.rows.flatMap { $0 }.first?.count ?? 1
            let values = flat(column.rows, [Double](repeating: .nan, count: width)).flatMap { $0 }
            writer.append(column.name, type, shape: extents + [width], bytes: littleEndian(values, type))
        }
        writer.append("response_mask", shape: extents, masks: flat(responseMask, 0).map { UInt8($0) })
        if let tokenIDs {
            writer.append("token_ids", shape: extents, integers: flat(tokenIDs, -100).map(Int64.init))
        }
        if let advantages {
            writer.append("advantages", type, shape: [lengths.count], bytes: littleEndian(advantages, type))
        }
        if packed {
            writer.append("cu_seqlens", shape: [lengths.count + 1], integers: offsets.map(Int64.init))
        }
        return writer.segments().flatMap { $0 }
    }

    private func padded<Element>(_ rows: [[Element]], _ padding: Element) -> [[Element]] {
        let longest = lengths.max() ?? 0
        return rows.map { $0 + Array(repeating: padding, count: longest - $0.count) }
    }
}

func list(_ values: [Double]) -> JSONValue { .array(values.map { .number($0) }) }
func list(_ values: [Int]) -> JSONValue { .array(values.map { .integer(Int64($0)) }) }

/// Numbers that the type holds exactly, as its bytes.
func littleEndian(_ values: [Double], _ type: ElementType) -> [UInt8] {
    values.flatMap { value -> [UInt8] in
        let pattern: UInt64 =
            switch type {
            case .float64: value.bitPattern
            case .float32: UInt64(Float(value).bitPattern)
            case .bfloat16: UInt64(Float(value).bitPattern >> 16)
            case .float16: UInt64(half(value))
            default: UInt64(bitPattern: Int64(value))
            }
        return (0..<type.size).map { UInt8(truncatingIfNeeded: pattern >> UInt64(8 * $0)) }
    }
}

/// binary16 of a number that is exact in it and not subnormal, of an infinity or of NaN.
private func half(_ value: Double) -> UInt16 {
    let sign: UInt16 = value.sign == .minus ? 0x8000 : 0
    if value.isNaN { return 0x7E00 }
    if value.isInfinite { return sign | 0x7C00 }
    if value == 0 { return sign }
    return sign | UInt16(value.exponent + 15) << 10 | UInt16((value.significand - 1) * 1024)
}
