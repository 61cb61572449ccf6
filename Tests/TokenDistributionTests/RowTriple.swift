import Tensor
import Testing
import TokenDistribution

/// The rows of an anchor and two references as a test gives them, and what they are in a body.
struct RowTriple: Sendable, CustomTestStringConvertible {
    let name: String
    let anchor: [Float]
    let first: [Float]
    let second: [Float]

    var testDescription: String { name }

    init(_ name: String, _ anchor: [Float], _ first: [Float], _ second: [Float]) {
        self.name = name
        self.anchor = anchor
        self.first = first
        self.second = second
    }

    /// The numbers that `type` rounds these to.
    func rounded(to type: ElementType) -> RowTriple {
        func round(_ row: [Float]) -> [Float] {
            switch type {
            case .bfloat16: row.map { Float(bitPattern: $0.bitPattern & 0xFFFF_0000) }
            case .float16: row.map { halfToFloat(half($0)) }
            default: row
            }
        }
        return RowTriple(name, round(anchor), round(first), round(second))
    }

    /// Bytes of one row, which are to start `offset` bytes into them.
    static func bytes(_ row: [Float], _ type: ElementType, offset: Int = 0) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xFF, count: offset)
        for value in row {
            let pattern: UInt64 =
                switch type {
                case .bfloat16: UInt64(value.bitPattern >> 16)
                case .float16: UInt64(half(value))
                case .float64: Double(value).bitPattern
                default: UInt64(value.bitPattern)
                }
            for shift in 0..<type.size {
                bytes.append(UInt8(truncatingIfNeeded: pattern >> UInt64(8 * shift)))
            }
        }
        return bytes
    }

    /// Towards zero; finite numbers stay finite.
    private static func half(_ value: Float) -> UInt16 {
        let sign = UInt16(value.bitPattern >> 16) & 0x8000
        if value.isNaN { return sign | 0x7E00 }
        if value.isInfinite { return sign | 0x7C00 }
        let magnitude = min(value.magnitude, 65504)
        if magnitude < 0x1p-14 { return sign | UInt16(magnitude * 0x1p24) }
        return sign | UInt16((magnitude.bitPattern >> 13) - (112 << 10))
    }

    private func half(_ value: Float) -> UInt16 { RowTriple.half(value) }

    /// Lends the rows' bytes.
    func withBytes<Result>(
        _ type: ElementType, offset: Int = 0, _ body: (RawSpan, RawSpan, RawSpan) -> Result
    ) -> Result {
        let a = RowTriple.bytes(anchor, type, offset: offset)
        let f = RowTriple.bytes(first, type, offset: offset)
        let s = RowTriple.bytes(second, type, offset: offset)
        return body(
            unsafe a.span.bytes.extracting(droppingFirst: offset),
            unsafe f.span.bytes.extracting(droppingFirst: offset),
            unsafe s.span.bytes.extracting(droppingFirst: offset))
    }
}
