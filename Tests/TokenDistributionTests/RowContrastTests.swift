import Tensor
import TestMaterial
import Testing
import TokenDistribution

@Suite("Contrast of an anchor's row with one or two")
struct RowContrastTests {
    static let types = [ElementType.float32, .bfloat16, .float16]
    static let divergences = [Divergence.kullbackLeibler, .jensenShannon, .jeffreys]

    @Test(
        "Divergences agree with a Double twin to 1e-12, by every instruction set", arguments: RowTriple.all,
        types)
    func values(_ triple: RowTriple, _ type: ElementType) throws {
        let exact = triple.rounded(to: type)
        for temperature in [1, 0.7, 1e-3, 50] {
            for divergence in RowContrastTests.divergences {
                let twin = TripleTwin(divergence, exact, temperature: temperature).divergences
                for set in InstructionSet.available {
                    let contrast = RowContrast(divergence, temperature: temperature, instructionSet: set)
                    let found = contrast.divergences(of: triple, type)
                    for (value, expected) in [
                        (found.first, twin.first), (try #require(found.second), twin.second),
                    ] {
                        #expect(
                            isNear(value, expected, 1e-12),
                            "\(divergence) at \(temperature) by \(set): \(value), not \(expected)")
                        #expect(value >= 0)
                    }
                }
            }
        }
    }

    @Test(
        "One reference gets the bits that it gets beside another", arguments: RowTriple.all,
        types + [.float64])
    func oneReference(_ triple: RowTriple, _ type: ElementType) {
        for divergence in RowContrastTests.divergences {
            for set in InstructionSet.available {
                let contrast = RowContrast(divergence, temperature: 0.7, instructionSet: set)
                let alone = contrast.divergences(of: triple, type, references: 1)
                #expect(alone == PerReference(contrast.divergences(of: triple, type).first))
                let slope = alone.first < .infinity ? -1.5 : 0
                let rows = contrast.gradients(of: triple, type, PerReference(slope))
                // Beside a second one whose slope is 0.
                let both = contrast.gradients(of: triple, type, PerReference(slope, 0))
                #expect(rows.isFinite == both.isFinite)
                #expect(rows.rows[0] == both.rows[0] && rows.rows[1] == both.rows[1])
                #expect(both.rows[2].allSatisfy { $0 == 0 })
            }
        }
    }

    @Test("Statistics are those of the rows alone, bit for bit", arguments: RowTriple.all, types)
    func statistics(_ triple: RowTriple, _ type: ElementType) {
        for set in InstructionSet.available {
            triple.withBytes(type) { anchor, _, _ in
                var statistics = RowStatistics(temperature: 0.7, instructionSet: set)
                statistics.add(anchor, as: type)
                let contrast = RowContrast(.kullbackLeibler, temperature: 0.7, instructionSet: set)
                #expect(contrast.statistics(anchor, as: type).outcome == statistics.outcome)
            }
        }
    }

    @Test("Rows that start at any address give the same bits", arguments: types, [1, 2, 3, 7])
    func unaligned(_ type: ElementType, _ offset: Int) {
        for triple in RowTriple.all where triple.name.hasPrefix("random") {
            for divergence in RowContrastTests.divergences {
                for set in InstructionSet.available {
                    let contrast = RowContrast(divergence, temperature: 0.9, instructionSet: set)
                    #expect(
                        contrast.divergences(of: triple, type, offset: offset)
                            == contrast.divergences(of: triple, type))
                    let slopes = PerReference(1, -0.5)
                    #expect(
                        contrast.gradients(of: triple, type, slopes, offset: offset).rows
                            == contrast.gradients(of: triple, type, slopes).rows)
                }
            }
        }
    }

    @Test(
        "NaN, +inf and a row without a finite logit are told by the statistics, wherever they stand",
        arguments: types)
    func undefined(_ type: ElementType) {
        func outcome(_ row: [Float]) -> RowStatistics.Outcome {
            RowTriple("", row, row, row).withBytes(type) { anchor, _, _ in
                RowContrast(.jeffreys, temperature: 1).statistics(anchor, as: type).outcome
            }
        }
        for length in [1, 8, 1025] {
            for place in Set([0, length / 2, length - 1]) {
                for (value, expected) in [
                    (Float.nan, RowStatistics.Outcome.notANumber), (.infinity, .positiveInfinity),
                ] {
                    var poisoned = [Float](repeating: 1, count: length)
                    poisoned[place] = value
                    #expect(outcome(poisoned) == expected)
                }
            }
        }
        #expect(outcome([Float](repeating: -.infinity, count: 20)) == .allNegativeInfinity)
    }
}
