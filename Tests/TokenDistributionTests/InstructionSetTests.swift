import Glibc
import Tensor
import TestMaterial
import Testing
import TokenDistribution

/// Ends a test, and says why, where the machine can't run it.
func skipUnlessAvailable(_ set: InstructionSet) throws {
    if !set.isAvailable { try Test.cancel("this machine has no \(set)") }
}

@Suite("Instruction sets")
struct InstructionSetTests {
    static let types = [ElementType.float32, .bfloat16, .float16]

    /// The numbers as little-endian bytes of a type, from the given offset on, and what they are after rounding.
    private func encoded(_ row: [Float], _ type: ElementType, offset: Int = 0) -> ([UInt8], [Double]) {
        var bytes = [UInt8](repeating: 0x7F, count: offset)
        var rounded: [Double] = []
        for value in row {
            let pattern: UInt32
            switch type {
            case .bfloat16:
                pattern = value.bitPattern >> 16
                rounded.append(Double(bfloat16ToFloat(UInt16(pattern))))
            case .float16:
                pattern = UInt32(halfPattern(value))
                rounded.append(Double(halfToFloat(UInt16(pattern))))
            default:
                pattern = value.bitPattern
                rounded.append(Double(value))
            }
            for shift in 0..<type.size {
                bytes.append(UInt8(truncatingIfNeeded: pattern >> UInt32(8 * shift)))
            }
        }
        return (bytes, rounded)
    }

    /// binary16 by truncation: any rounding will do, as the twin gets the rounded numbers.
    private func halfPattern(_ value: Float) -> UInt16 {
        let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
        if value.isNaN { return 0x7E00 }
        if value.magnitude >= 65504 { return sign | (value.isInfinite ? 0x7C00 : 0x7BFF) }
        if value.magnitude < 0x1p-14 { return sign | UInt16(value.magnitude * 0x1p24) }
        return sign | UInt16(((value.bitPattern & 0x7FFF_FFFF) - 0x3800_0000) >> 13)
    }

    private func outcome(
        _ bytes: [UInt8], from offset: Int, _ type: ElementType, _ temperature: Double, _ set: InstructionSet,
        cuts: [Int] = []
    ) -> RowStatistics.Outcome {
        var statistics = RowStatistics(temperature: temperature, instructionSet: set)
        let row = unsafe bytes.span.bytes.extracting(droppingFirst: offset)
        var start = 0
        for cut in cuts.map({ $0 * RowStatistics.blockLength * type.size }) + [row.byteCount] {
            statistics.add(row.extracting(start..<cut), as: type)
            start = cut
        }
        return statistics.outcome
    }

    static let shapes: [(String, @Sendable (Int, inout SeededGenerator) -> Float)] = [
        (
            "like a model's",
            { _, random in (0..<6).reduce(0) { sum, _ in sum + .random(in: -3...3, using: &random) } }
        ),
        ("all equal", { _, _ in -3.3 }),
        ("one huge", { index, _ in index == 777 ? 1e4 : 0.1 }),
        (
            "every third −inf",
            { index, random in index % 3 == 1 ? -.infinity : .random(in: -5...5, using: &random) }
        ),
        ("±1e4", { index, random in index % 2 == 0 ? 1e4 : -1e4 }),
        ("denormals", { index, _ in Float(index % 5 - 2) * 0x1p-24 }),
        ("rising", { index, _ in Float(index) * 0.02 }),
        ("far below zero", { index, random in -900 + .random(in: -9...9, using: &random) }),
        ("a step of 500 in each block", { index, _ in Float(index / 1024) * 500 + Float(index % 7) }),
        ("two peaks far apart", { index, _ in index % 1500 == 3 ? 17 : index % 1500 == 9 ? 8 : -4.1 }),
        ("the largest of its type", { index, _ in index % 4 == 0 ? 60000 : 59999 - Float(index % 11) * 40 }),
    ]

    @Test(
        "Every type, shape, length and address agrees with a Double twin to 1e-6 nats",
        arguments: InstructionSet.allCases, types)
    func twins(_ set: InstructionSet, _ type: ElementType) throws {
        try skipUnlessAvailable(set)
        for (name, value) in InstructionSetTests.shapes {
            var random = SeededGenerator(seed: 11)
            for (length, offset) in [
                (1, 1), (2, 0), (3, 3), (15, 5), (63, 1), (64, 2), (65, 7), (127, 9), (1000, 1), (1024, 3),
                (1025, 63), (3333, 1),
            ] {
                let row = (0..<length).map { value($0, &random) }
                let (bytes, numbers) = encoded(row, type, offset: offset)
                for temperature in [1, 0.7] where numbers.contains(where: \.isFinite) {
                    let twin = RowTwin(numbers, temperature: temperature)
                    let found = outcome(bytes, from: offset, type, temperature, set)
                    guard case .defined(let summary) = found else {
                        Issue.record("\(name), \(length): \(found)")
                        continue
                    }
                    #expect(
                        abs(summary.logSumExp - twin.logSumExp) <= max(1e-6, 1e-15 * abs(twin.logSumExp)),
                        "\(name), \(length)")
                    #expect(abs(summary.entropy - twin.entropy) <= 1e-6, "\(name), \(length)")
                }
            }
        }
    }

    @Test(
        "A row has the same bits however it is cut at block boundaries, and wherever it starts",
        arguments: InstructionSet.allCases, types)
    func cuts(_ set: InstructionSet, _ type: ElementType) throws {
        try skipUnlessAvailable(set)
        for (name, value) in InstructionSetTests.shapes {
            var random = SeededGenerator(seed: 12)
            let row = (0..<4 * RowStatistics.blockLength + 77).map { value($0, &random) }
            let whole = outcome(encoded(row, type).0, from: 0, type, 1, set)
            let (bytes, _) = encoded(row, type, offset: 3)
            for choice in 0..<16 {
                let cuts = (1...4).filter { choice >> ($0 - 1) & 1 == 1 }
                #expect(outcome(bytes, from: 3, type, 1, set, cuts: cuts) == whole, "\(name) at \(cuts)")
            }
        }
    }

    // That one can be chosen is tested on a whole server, as the choice holds for the whole process.
    @Test("Some set is there on every machine, and the fastest is in use")
    func available() {
        #expect(InstructionSet.available.last == .portable)
        #expect(InstructionSet.inUse == InstructionSet.available[0])
    }
}
