@testable import Tensor
import Testing

@Suite("Widening elements")
struct WideningTests {
    /// IEEE 754 binary16 from its definition: sign · 2^(e − 15) · 1.m, subnormals 2^−14 · 0.m.
    private func half(_ pattern: UInt16) -> Double {
        let sign = pattern >> 15 == 1 ? -1.0 : 1.0
        let exponent = Int(pattern >> 10 & 31)
        let fraction = Double(pattern & 1023) / 1024
        if exponent == 31 { return fraction == 0 ? sign * .infinity : .nan }
        func powerOfTwo(_ e: Int) -> Double { e < 0 ? 1 / Double(1 << -e) : Double(1 << e) }
        return exponent == 0
            ? sign * powerOfTwo(-14) * fraction : sign * powerOfTwo(exponent - 15) * (1 + fraction)
    }

    @Test("All 65,536 F16 patterns are what IEEE 754 says")
    func everyHalf() {
        var wrong: [UInt16] = []
        for pattern in UInt16.min...UInt16.max {
            let float = halfToFloat(pattern)
            let value = half(pattern)
            let isSame = value.isNaN ? float.isNaN : Double(float).bitPattern == value.bitPattern
            if !isSame || float.sign != (pattern >> 15 == 1 ? .minus : .plus) { wrong.append(pattern) }
        }
        #expect(wrong.isEmpty)
    }

    @Test("All 65,536 BF16 patterns are the upper half of a Float")
    func everyBFloat16() {
        var wrong: [UInt16] = []
        for pattern in UInt16.min...UInt16.max
        where bfloat16ToFloat(pattern).bitPattern != UInt32(pattern) * 65_536 {
            wrong.append(pattern)
        }
        #expect(wrong.isEmpty)
    }

    @Test(
        "Whole F16 and BF16 tensors widen as their elements do, to Float and to Double",
        arguments: [
            ElementType.float16, .bfloat16,
        ])
    func halfTensors(_ type: ElementType) {
        let patterns = (UInt16.min...UInt16.max).map { $0 }
        let bytes = patterns.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        let tensor = DenseTensor(
            viewing: [0xAA] + bytes, start: 1, elementType: type, shape: [256, 256], count: 65_536)
        let expected = patterns.map { type == .float16 ? halfToFloat($0) : bfloat16ToFloat($0) }
        var floats = [Float](repeating: 0, count: 65_536)
        var span = floats.mutableSpan
        tensor.widen(0..<65_536, into: &span)
        #expect(floats.map(\.bitPattern) == expected.map(\.bitPattern))
        let doubles = tensor.doubles()
        #expect(zip(doubles, expected).allSatisfy { $0.isNaN ? $1.isNaN : $0 == Double($1) })
    }

    @Test("A range widens as the whole does", arguments: ElementType.allCases)
    func ranges(_ type: ElementType) {
        let count = 37
        let bytes = (0..<count * type.size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 3) }
        let tensor = DenseTensor(
            viewing: [9, 9, 9] + bytes, start: 3, elementType: type, shape: [count], count: count)
        let whole = tensor.doubles()
        for range in [0..<0, 0..<1, 5..<20, 36..<37, 0..<37, 37..<37] {
            #expect(tensor.doubles(range).map(\.bitPattern) == whole[range].map(\.bitPattern))
        }
    }

    @Test("Integers of every width are put together from their bytes", arguments: ElementType.allCases)
    func integers(_ type: ElementType) {
        guard !type.isFloat else { return }
        let count = 64
        let bytes = (0..<count * type.size).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ 77) }
        let tensor = DenseTensor(viewing: bytes, start: 0, elementType: type, shape: [count], count: count)
        let signed = [.int8, .int16, .int32, .int64].contains(type)
        let twin = (0..<count).map { index -> Int in
            var pattern: UInt64 = 0
            for byte in (0..<type.size).reversed() {
                pattern = pattern << 8 | UInt64(bytes[index * type.size + byte])
            }
            guard signed else { return Int(bitPattern: UInt(pattern)) }
            let shift = UInt64(64 - type.size * 8)
            return Int(Int64(bitPattern: pattern << shift) >> Int64(shift))
        }
        #expect(tensor.integers() == twin)
        for (value, integer) in zip(tensor.doubles(), twin) where signed || integer >= 0 {
            #expect(value == Double(integer))
        }
    }

    @Test("64-bit integers are not rounded through Double")
    func wideIntegers() throws {
        var writer = SafetensorsWriter()
        writer.append("a", shape: [4], integers: [9_007_199_254_740_993, .max, .min, -1])
        let tensor = try #require(try Safetensors(parsing: writer.segments().flatMap { $0 }).tensors["a"])
        #expect(tensor.integers() == [9_007_199_254_740_993, .max, .min, -1])
        let unsigned = DenseTensor(
            viewing: [UInt8](repeating: 0xFF, count: 8), start: 0, elementType: .uint64, shape: [1], count: 1)
        #expect(unsigned.integers() == [-1], "its bits, which differ from those of any other")
    }

    @Test(
        "Floats are integers when they are whole",
        arguments: [
            ([0, -1, 3], [0, -1, 3]), ([0.5], nil), ([.nan], nil), ([.infinity], nil), ([1e300], nil),
            ([0x1p63], nil), ([], []),
        ] as [([Double], [Int]?)])
    func wholeFloats(_ values: [Double], _ integers: [Int]?) {
        let tensor = DenseTensor(values, shape: [values.count])
        #expect(tensor.integers() == integers)
        #expect(tensor.isNumbers && tensor.elementType == .float64 && tensor.count == values.count)
    }
}
