import Glibc
import Tensor
import Testing
import TokenDistribution

@Suite("Gradients of a token's log-probability")
struct TokenGradientTests {
    private func written(
        _ row: RowTriple, _ type: ElementType, token: Int, slope: Double, _ temperature: Double,
        _ set: InstructionSet, base: Float? = nil
    ) -> (values: [Float], isFinite: Bool) {
        var values = [Float](repeating: base ?? .nan, count: row.anchor.count)
        let isFinite = unsafe values.withUnsafeMutableBufferPointer { memory in
            let output = unsafe RowOutput(memory, adds: base != nil)
            return row.withBytes(type, offset: 1) { logits, _, _ in
                writeTokenGradient(
                    of: token, slope: slope, logits: logits, as: type, temperature: temperature,
                    instructionSet: set, to: output)
            }
        }
        return (values, isFinite)
    }

    @Test(
        "They agree with a twin, by every instruction set", arguments: RowTriple.all,
        RowContrastTests.types + [.float64])
    func values(_ triple: RowTriple, _ type: ElementType) {
        let exact = triple.rounded(to: type).anchor
        for (temperature, slope) in [(1, 0.4), (0.6, -3)] {
            let twin = obviousLogProbabilities(exact, temperature)
            for token in Set([0, exact.count / 2, exact.count - 1]) {
                let expected = twin.indices.map {
                    slope / temperature * (($0 == token ? -expm1(twin[$0]) : -exp(twin[$0])))
                }
                let largest = expected.map(\.magnitude).max() ?? 0
                for set in InstructionSet.available {
                    let found = written(triple, type, token: token, slope: slope, temperature, set)
                    let worst = zip(found.values, expected).map { abs(Double($0) - $1) }.max() ?? 0
                    #expect(
                        found.isFinite && worst <= 1e-7 * largest + 1e-15, "\(set): \(worst) of \(largest)")
                }
            }
        }
    }

    @Test(
        "What is to be added comes on top of what is there, at the token too", arguments: RowTriple.all,
        RowContrastTests.types + [.float64])
    func added(_ triple: RowTriple, _ type: ElementType) {
        for token in Set([0, triple.anchor.count / 2, triple.anchor.count - 1]) {
            for set in InstructionSet.available {
                let over = written(triple, type, token: token, slope: -0.7, 0.8, set)
                let onTop = written(triple, type, token: token, slope: -0.7, 0.8, set, base: 2)
                #expect(over.isFinite && onTop.isFinite)
                for (value, sum) in zip(over.values, onTop.values) {
                    #expect(abs(sum - (2 + value)) <= Float(2).ulp)
                }
            }
        }
    }

    @Test(
        "A slope of 0 writes zeros without a sign, and adds nothing",
        arguments: RowContrastTests.types + [.float64])
    func noSlope(_ type: ElementType) {
        let row = RowTriple("", [0, -.infinity, 2], [], [])
        for set in InstructionSet.available {
            for slope in [0, -0.0] {
                let over = written(row, type, token: 2, slope: slope, 1, set)
                #expect(over.isFinite && over.values.map(\.bitPattern) == [0, 0, 0])
                let onTop = written(row, type, token: 2, slope: slope, 1, set, base: 0.1)
                #expect(onTop.isFinite && onTop.values == [0.1, 0.1, 0.1])
            }
        }
    }

    private func bfloat16s(
        _ row: RowTriple, _ type: ElementType, token: Int, slope: Double, _ set: InstructionSet
    ) -> (values: [UInt16], isFinite: Bool) {
        var values = [UInt16](repeating: 0xABCD, count: row.anchor.count)
        let isFinite = unsafe values.withUnsafeMutableBytes { memory in
            let output = unsafe RowOutput(memory, as: .bfloat16)
            return row.withBytes(type, offset: 1) { logits, _, _ in
                writeTokenGradient(
                    of: token, slope: slope, logits: logits, as: type, temperature: 0.8,
                    instructionSet: set, to: output)
            }
        }
        return (values, isFinite)
    }

    @Test(
        "As BF16 they are the Floats rounded", arguments: RowTriple.all, RowContrastTests.types + [.float64])
    func narrow(_ triple: RowTriple, _ type: ElementType) {
        for token in Set([0, triple.anchor.count / 2, triple.anchor.count - 1]) {
            for set in InstructionSet.available {
                for slope in [0.4, 0] {
                    let wide = written(triple, type, token: token, slope: slope, 0.8, set)
                    let narrow = bfloat16s(triple, type, token: token, slope: slope, set)
                    #expect(narrow.isFinite && narrow.values == wide.values.map(nearestBFloat16), "\(set)")
                }
            }
        }
    }

    @Test("A slope that fits Float but not BF16 is told", arguments: RowContrastTests.types + [.float64])
    func tooLargeForBFloat16(_ type: ElementType) {
        // Certain of another token: all of the slope, by T, arrives.
        let row = RowTriple("", [0, 40, 0], [], [])
        for set in InstructionSet.available {
            let slope = 0x1.ff8p127 * 0.8
            #expect(written(row, type, token: 0, slope: slope, 0.8, set).isFinite)
            #expect(!bfloat16s(row, type, token: 0, slope: slope, set).isFinite)
            #expect(bfloat16s(row, type, token: 0, slope: 0x1.fep127 * 0.8, set).isFinite)
        }
    }

    @Test("A slope beyond Float is told", arguments: RowContrastTests.types + [.float64])
    func tooLarge(_ type: ElementType) {
        let row = RowTriple("", [0, 1, 2], [], [])
        for set in InstructionSet.available {
            #expect(!written(row, type, token: 1, slope: 1e200, 1, set).isFinite)
            #expect(!written(row, type, token: 1, slope: 1e200, 1, set, base: 1).isFinite)
            #expect(written(row, type, token: 1, slope: 1e38, 1, set).isFinite)
        }
    }
}
