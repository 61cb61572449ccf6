import Glibc
import Tensor
import TestMaterial
import Testing
import TokenDistribution

@Suite("Logits of a batch")
struct VocabularyLogitsTests {
    /// 3 rows of 1,500, so that rows start inside blocks of bytes and end inside blocks of numbers.
    private func logits(_ type: ElementType, temperature: Double) throws -> (VocabularyLogits, [[Double]]) {
        var random = SeededGenerator(seed: 3)
        var bytes: [UInt8] = []
        for _ in 0..<4500 {
            let value = Float.random(in: -8...8, using: &random)
            let pattern: UInt64 =
                switch type {
                case .float64: Double(value).bitPattern
                case .float32: UInt64(value.bitPattern)
                case .bfloat16: UInt64(value.bitPattern >> 16)
                // Sign, a small exponent and some fraction: any finite pattern will do.
                default: UInt64((value.bitPattern >> 31) << 15 | (value.bitPattern >> 5) % 0x4800)
                }
            for shift in 0..<type.size {
                bytes.append(UInt8(truncatingIfNeeded: pattern >> UInt64(8 * shift)))
            }
        }
        var writer = SafetensorsWriter()
        writer.append("z", type, shape: [3, 1500], bytes: bytes)
        let tensor = try #require(try Safetensors(parsing: writer.segments().flatMap { $0 }).tensors["z"])
        let rows = (0..<3).map { tensor.doubles($0 * 1500..<($0 + 1) * 1500) }
        return (VocabularyLogits(tensor, temperature: temperature), rows)
    }

    @Test(
        "Rows of every float type have the statistics of their numbers",
        arguments: [
            ElementType.float64, .float32, .bfloat16, .float16,
        ], [1, 0.6])
    func statistics(_ type: ElementType, _ temperature: Double) throws {
        let (logits, rows) = try logits(type, temperature: temperature)
        #expect(logits.rows == 3 && logits.vocabulary == 1500)
        for (row, numbers) in rows.enumerated() {
            let twin = RowTwin(numbers, temperature: temperature)
            guard case .defined(let summary) = logits.statistics(ofRow: row) else {
                Issue.record("row \(row) is undefined")
                continue
            }
            #expect(abs(summary.logSumExp - twin.logSumExp) <= 2e-6)
            #expect(abs(summary.entropy - twin.entropy) <= 2e-6)
            #expect(logits.logit(row: row, token: 1499) == numbers[1499])
            for (token, number) in numbers.enumerated() {
                let found = summary.logProbability(ofLogit: logits.logit(row: row, token: token))
                #expect(abs(found - (number / temperature - twin.logSumExp)) <= 2e-6)
            }
        }
    }

    @Test("A certain token has log-probability 0 exactly, at any temperature", arguments: [1, 0.7, 1.3, 3.1])
    func certain(_ temperature: Double) {
        let values = (1...100).flatMap { [Double($0) * 0.37, -Double.infinity] }
        let logits = VocabularyLogits(DenseTensor(values, shape: [100, 2]), temperature: temperature)
        for row in 0..<100 {
            guard case .defined(let summary) = logits.statistics(ofRow: row) else {
                Issue.record("row \(row) is undefined")
                continue
            }
            #expect(summary.logProbability(ofLogit: logits.logit(row: row, token: 0)) == 0)
            #expect(summary.entropy == 0)
        }
    }

    @Test("Numbers that were text are rows as well, one entry wide too")
    func numbers() {
        let logits = VocabularyLogits(DenseTensor([5, -7, 0], shape: [3, 1]), temperature: 2)
        for (row, value) in [5.0, -7, 0].enumerated() {
            let summary = RowSummary(peak: value, temperature: 2, logSum: 0, entropy: 0)
            #expect(logits.statistics(ofRow: row) == .defined(summary) && summary.logSumExp == value / 2)
        }
    }

    @Test(
        "A row is lent as it lies, or widened exactly", arguments: [ElementType.bfloat16, .float16, .float32])
    func lent(_ type: ElementType) throws {
        let (logits, rows) = try logits(type, temperature: 1)
        for wider in [type, .float32, .float64] {
            let values = logits.withRow(1, as: wider) { row in
                var values = [Double](repeating: .nan, count: 1500)
                var span = values.mutableSpan
                wider.widen(row, into: &span)
                return values
            }
            #expect(values == rows[1])
        }
    }

    @Test("Of different types the common one holds the numbers of all")
    func commonTypes() {
        #expect(ElementType.common([.bfloat16]) == .bfloat16 && ElementType.common([.float16]) == .float16)
        #expect(ElementType.common([.bfloat16, .float16]) == .float32)
        #expect(ElementType.common([.float64, .bfloat16]) == .float64)
    }
}
