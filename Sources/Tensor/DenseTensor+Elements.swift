// The only access to raw memory: every reinterpretation of body bytes as numbers is in this file.
internal import CNumberLists

/// What a list of numbers spans, found as it is widened.
package struct NumberExtent: Sendable, Equatable {
    /// The largest number, or 0 where all are below it; NaN doesn't count.
    package var largest: Double
    /// The least, or 0 where all are above it.
    package var least: Double
    /// Whether there is neither an infinity nor a NaN.
    package var isFinite: Bool

    init(_ extent: number_lists_extent) {
        (largest, least, isFinite) = (extent.largest, extent.least, extent.is_finite)
    }
}

extension ElementType {
    /// Nil for integers.
    private var number: number_lists_type? {
        switch self {
        case .float64: number_lists_f64
        case .float32: number_lists_f32
        case .float16: number_lists_f16
        case .bfloat16: number_lists_bf16
        case .bool, .uint8, .int8, .int16, .uint16, .int32, .uint32, .int64, .uint64: nil
        }
    }

    /// The same as widening them, with what they span; nil for integers, which are not touched.
    fileprivate func widenFloats(_ bytes: RawSpan, into output: inout MutableSpan<Double>) -> NumberExtent? {
        guard let number else { return nil }
        let count = bytes.byteCount / size
        precondition(output.count >= count)
        return unsafe bytes.withUnsafeBytes { bytes in
            unsafe output.withUnsafeMutableBufferPointer { output in
                NumberExtent(
                    unsafe number_lists_widen(number, bytes.baseAddress, count, output.baseAddress))
            }
        }
    }

    /// Little-endian elements of this type, at any address, widened to Double exactly: every type but 64-bit integers
    /// beyond 2^53 is a subset of Double.
    /// - Complexity: O(bytes)
    package func widen(_ bytes: RawSpan, into output: inout MutableSpan<Double>) {
        switch self {
        case .float64, .float32, .float16, .bfloat16: _ = widenFloats(bytes, into: &output)
        case .bool, .uint8: load(bytes, into: &output) { (value: UInt8) in Double(value) }
        case .int8: load(bytes, into: &output) { (value: Int8) in Double(value) }
        case .int16: load(bytes, into: &output) { (value: Int16) in Double(value) }
        case .uint16: load(bytes, into: &output) { (value: UInt16) in Double(value) }
        case .int32: load(bytes, into: &output) { (value: Int32) in Double(value) }
        case .uint32: load(bytes, into: &output) { (value: UInt32) in Double(value) }
        case .int64: load(bytes, into: &output) { (value: Int64) in Double(value) }
        case .uint64: load(bytes, into: &output) { (value: UInt64) in Double(value) }
        }
    }

    /// F32, F16 and BF16 exactly as Float.
    package func widen(_ bytes: RawSpan, into output: inout MutableSpan<Float>) {
        switch self {
        case .float32: load(bytes, into: &output) { (value: Float) in value }
        case .float16: load(bytes, into: &output) { (value: UInt16) in halfToFloat(value) }
        case .bfloat16: load(bytes, into: &output) { (value: UInt16) in bfloat16ToFloat(value) }
        case .float64, .bool, .uint8, .int8, .int16, .uint16, .int32, .uint32, .int64, .uint64:
            preconditionFailure("\(self) doesn't fit Float")
        }
    }

    @inline(__always)
    private func load<Stored: BitwiseCopyable, Wide>(
        _ bytes: RawSpan, into output: inout MutableSpan<Wide>, _ widened: (Stored) -> Wide
    ) {
        let size = MemoryLayout<Stored>.size
        let count = bytes.byteCount / size
        precondition(output.count >= count)
        for index in 0..<count {
            // In bounds by the division and the precondition; body bytes may start at any address.
            let stored = unsafe bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: index * size, as: Stored.self)
            unsafe output[unchecked: index] = widened(stored)
        }
    }
}

extension DenseTensor {
    /// Lends elements `range` (row-major, flat) as they lie in memory: little-endian elements of `elementType`, at any
    /// alignment. Nothing is copied. An outline has none.
    package func withBytes<Result>(of range: Range<Int>, _ body: (RawSpan) -> Result) -> Result {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        let bytes = range.lowerBound * elementType.size..<range.upperBound * elementType.size
        switch storage {
        case .bytes(let shared, let start):
            return body(
                unsafe shared.span.bytes.extracting(start + bytes.lowerBound..<start + bytes.upperBound))
        case .lent(let lender, let start):
            return lender.withBytes { span in
                body(span.extracting(start + bytes.lowerBound..<start + bytes.upperBound))
            }
        case .numbers(let values): return body(unsafe values.span.bytes.extracting(bytes))
        case .elsewhere: preconditionFailure("an outline has no elements")
        }
    }

    /// Elements `range` widened to Double into `output`; see ``ElementType``.
    /// - Complexity: O(range.count)
    package func widen(_ range: Range<Int>, into output: inout MutableSpan<Double>) {
        precondition(output.count >= range.count)
        withBytes(of: range) { elementType.widen($0, into: &output) }
    }

    /// All elements of a tensor of floats widened exactly to Double, and what they span.
    /// - Complexity: O(count), one pass.
    package func doublesAndExtent() -> ([Double], NumberExtent) {
        if case .numbers(let values) = storage {
            let extent = unsafe values.withUnsafeBytes { bytes in
                unsafe number_lists_widen(number_lists_f64, bytes.baseAddress, values.count, nil)
            }
            return (values, NumberExtent(extent))
        }
        var extent = NumberExtent(number_lists_extent(largest: 0, least: 0, is_finite: true))
        if count == 0 { return ([], extent) }
        let values = unsafe [Double](unsafeUninitializedCapacity: count) { output, filled in
            var span = unsafe output.mutableSpan
            withBytes(of: 0..<count) { bytes in
                guard let found = elementType.widenFloats(bytes, into: &span) else {
                    preconditionFailure("\(elementType) is no type of floats")
                }
                extent = found
            }
            filled = count
        }
        return (values, extent)
    }

    /// The bytes of a request that hold little-endian floats from byte `start` on, and what these span; nil for a tensor
    /// that is of another type or is held elsewhere.
    /// - Complexity: O(count), one pass; nothing is copied.
    package func floatsAndExtent() -> (bytes: [UInt8], start: Int, extent: NumberExtent)? {
        guard elementType == .float32, case .bytes(let shared, let start) = storage else { return nil }
        let extent = withBytes(of: 0..<count) { bytes in
            unsafe bytes.withUnsafeBytes { bytes in
                unsafe number_lists_widen(number_lists_f32, bytes.baseAddress, count, nil)
            }
        }
        return (shared, start, NumberExtent(extent))
    }

    /// Elements `range` of an F32, F16 or BF16 tensor as Float, exactly.
    package func widen(_ range: Range<Int>, into output: inout MutableSpan<Float>) {
        precondition(output.count >= range.count)
        withBytes(of: range) { elementType.widen($0, into: &output) }
    }

    /// Every element as an integer; nil at the first that is none (only floats can be none). Unsigned ones beyond Int64
    /// keep their bits, and so are negative.
    package func integers() -> [Int]? {
        if elementType == .int64 || elementType == .uint64 {
            return withBytes(of: 0..<count) { wholeNumbers(in: $0) }
        }
        var values: [Int] = []
        values.reserveCapacity(count)
        for value in doubles() {
            guard let integer = Int(exactly: value) else { return nil }
            values.append(integer)
        }
        return values
    }
}

/// bfloat16 is the upper half of a Float.
@inline(__always)
package func bfloat16ToFloat(_ pattern: UInt16) -> Float { Float(bitPattern: UInt32(pattern) << 16) }

/// The nearest bfloat16, and of two equally near the even one: infinite from 2^128 − 2^119 on. NaN has none.
@inline(__always)
package func nearestBFloat16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
}

/// IEEE 754 binary16, widened exactly, by bit operations so that it is the same on machines without the instruction.
@inline(__always)
package func halfToFloat(_ pattern: UInt16) -> Float {
    let sign = UInt32(pattern & 0x8000) << 16
    let magnitude = UInt32(pattern & 0x7FFF)
    // Shifted into place, the exponent is off by 127 − 15; the product corrects it and normalises subnormals exactly.
    let scaled = Float(bitPattern: magnitude << 13) * 0x1p112
    // Infinities and NaNs keep an all-ones exponent.
    let special = magnitude >= 0x7C00 ? UInt32(0x7F80_0000) : 0
    return Float(bitPattern: scaled.bitPattern | special | sign)
}

extension DenseTensor {
    /// The elements as little-endian bytes of the element type.
    /// - Complexity: O(count); a copy.
    package var bytes: [UInt8] {
        withBytes(of: 0..<count) { span in unsafe span.withUnsafeBytes { unsafe Array($0) } }
    }
}

/// 64-bit integers, which Double would round. An unsigned one beyond Int64 keeps its bits, as a negative number: different
/// ones stay different.
private func wholeNumbers(in span: RawSpan) -> [Int] {
    var values: [Int] = []
    values.reserveCapacity(span.byteCount / 8)
    for start in stride(from: 0, to: span.byteCount, by: 8) {
        values.append(Int(unsafe span.unsafeLoadUnaligned(fromByteOffset: start, as: Int64.self)))
    }
    return values
}
