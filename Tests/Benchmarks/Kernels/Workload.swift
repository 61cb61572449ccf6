import Tensor

/// Rows of made logits of one type, in one piece of memory.
struct Workload: Sendable {
    /// That of Qwen2.5-VL.
    static let vocabulary = 151_936
    static let types = [ElementType.float32, .bfloat16, .float16]

    let type: ElementType
    let rows: Int
    let bytes: [UInt8]

    /// Bell-shaped logits with a deviation of about 3. A period of a prime number of elements makes rows differ.
    init(_ type: ElementType, rows: Int) {
        self.type = type
        self.rows = rows
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        func uniform() -> Float {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(state >> 40) * 0x1p-24
        }
        var period: [UInt8] = []
        for _ in 0..<1_000_003 {
            let value = ((0..<6).reduce(Float(0)) { sum, _ in sum + uniform() } - 3) * 4.2
            Workload.append(value, type, to: &period)
        }
        let count = rows * Workload.vocabulary * type.size
        bytes = [UInt8](capacity: count) { output in
            while output.count < count { output.append(from: period, upTo: count) }
        }
    }

    var rowBytes: Int { Workload.vocabulary * type.size }

    private static func append(_ value: Float, _ type: ElementType, to bytes: inout [UInt8]) {
        var pattern = value.bitPattern
        switch type {
        case .float32: break
        case .bfloat16: pattern >>= 16
        default:
            // binary16 by truncation, 0 below its normal range; the values are far from its end.
            let sign = pattern >> 16 & 0x8000
            pattern = value.magnitude < 0x1p-14 ? sign : sign | ((pattern & 0x7FFF_FFFF) - 0x3800_0000) >> 13
        }
        for shift in 0..<type.size { bytes.append(UInt8(truncatingIfNeeded: pattern >> UInt32(8 * shift))) }
    }
}

extension OutputSpan<UInt8> {
    fileprivate mutating func append(from bytes: [UInt8], upTo limit: Int) {
        for index in 0..<min(bytes.count, limit - count) { append(bytes[index]) }
    }
}
