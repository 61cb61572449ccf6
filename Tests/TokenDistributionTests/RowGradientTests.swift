import Tensor
import Testing
import TokenDistribution

@Suite("Gradients of an anchor's row and its references'")
struct RowGradientTests {
    @Test(
        "They agree with a Double twin to 1e-7 of the row's largest, by every instruction set",
        arguments: RowTriple.all, RowContrastTests.types)
    func values(_ triple: RowTriple, _ type: ElementType) throws {
        let exact = triple.rounded(to: type)
        for (temperature, given) in [(1, (0.8, -0.3)), (0.6, (-2, -1))] {
            for divergence in RowContrastTests.divergences {
                let twin = TripleTwin(divergence, exact, temperature: temperature)
                let depths = [twin.divergences.first, twin.divergences.second]
                // An infinite divergence is refused, or held by a clamp, whose slope is 0.
                let slopes = PerReference(
                    depths[0] < .infinity ? given.0 : 0, depths[1] < .infinity ? given.1 : 0)
                let expected = twin.gradients(slopes)
                // What is left where log-ratios as deep as the divergence cancel, in the twin as well.
                let rounding =
                    1e-15 * (1 + (depths.filter(\.isFinite).max() ?? 0)) * 2 / temperature
                for set in InstructionSet.available {
                    let contrast = RowContrast(divergence, temperature: temperature, instructionSet: set)
                    let (rows, isFinite) = contrast.gradients(of: triple, type, slopes)
                    #expect(isFinite == expected.allSatisfy { $0.allSatisfy { Float($0).isFinite } })
                    guard isFinite else { continue }
                    for (row, twin) in zip(rows, expected) {
                        let tolerance = 1e-7 * (twin.map(\.magnitude).max() ?? 0) + rounding
                        let worst = zip(row, twin).map { abs(Double($0) - $1) }.max() ?? 0
                        #expect(worst <= tolerance, "\(divergence) at \(temperature) by \(set): \(worst)")
                    }
                }
            }
        }
    }

    @Test(
        "What is to be added comes on top of what is there", arguments: RowTriple.all,
        RowContrastTests.types + [.float64])
    func added(_ triple: RowTriple, _ type: ElementType) {
        let slopes = PerReference(0.8, -0.3)
        for divergence in RowContrastTests.divergences {
            for set in InstructionSet.available {
                let contrast = RowContrast(divergence, temperature: 0.9, instructionSet: set)
                let depths = contrast.divergences(of: triple, type)
                guard depths.first < .infinity, depths.second != .infinity else { continue }
                let over = contrast.gradients(of: triple, type, slopes)
                let onTop = contrast.gradients(of: triple, type, slopes, base: 3)
                guard over.isFinite else { continue }
                #expect(onTop.isFinite)
                for (row, sums) in zip(over.rows, onTop.rows) {
                    for (value, sum) in zip(row, sums) {
                        // The value was rounded, and so is the sum.
                        #expect(abs(sum - (3 + value)) <= 2 * max(3, abs(value)).ulp)
                    }
                }
            }
        }
    }

    @Test(
        "Nothing is written where nothing is wanted, and the rest is the same",
        arguments: RowContrastTests.divergences, RowContrastTests.types + [.float64])
    func unwanted(_ divergence: Divergence, _ type: ElementType) {
        let triple = RowTriple.all[13]
        for slopes in [PerReference(1, -0.5), PerReference(1)] {
            let places = slopes.second == nil ? 0..<2 : 0..<3
            for set in InstructionSet.available {
                let contrast = RowContrast(divergence, temperature: 0.9, instructionSet: set)
                let all = contrast.gradients(of: triple, type, slopes).rows
                for row in places {
                    let alone = contrast.gradients(of: triple, type, slopes, wanted: [row]).rows
                    for other in places { #expect(alone[other] == (other == row ? all[row] : [])) }
                }
            }
        }
    }

    @Test("A gradient beyond Float is told", arguments: RowContrastTests.divergences, [1, 9, 100])
    func tooLarge(_ divergence: Divergence, _ length: Int) {
        let rows = (0..<3).map { row in (0..<length).map { Float(($0 + row) % 3) } }
        let triple = RowTriple("", rows[0], rows[1], rows[2])
        for type in [ElementType.float32, .float64] {
            for set in InstructionSet.available {
                let contrast = RowContrast(divergence, temperature: 1, instructionSet: set)
                // One token is certain in every row.
                let isFinite = length == 1
                for slopes in [PerReference(1e200, 1), PerReference(1e200)] {
                    #expect(contrast.gradients(of: triple, type, slopes).isFinite == isFinite)
                    #expect(contrast.gradients(of: triple, type, slopes, base: 1).isFinite == isFinite)
                }
            }
        }
    }

    @Test(
        "As BF16 they are the Floats rounded", arguments: RowTriple.all, RowContrastTests.types + [.float64])
    func narrow(_ triple: RowTriple, _ type: ElementType) {
        for divergence in RowContrastTests.divergences {
            for set in InstructionSet.available {
                let contrast = RowContrast(divergence, temperature: 0.9, instructionSet: set)
                let depths = contrast.divergences(of: triple, type)
                guard depths.first < .infinity, depths.second != .infinity else { continue }
                for slopes in [PerReference(0.8, -0.3), PerReference(-1.1)] {
                    let wide = contrast.gradients(of: triple, type, slopes)
                    let narrow = contrast.bfloat16s(of: triple, type, slopes)
                    #expect(wide.isFinite && narrow.isFinite)
                    for (row, bfloat16s) in zip(wide.rows, narrow.rows) {
                        #expect(row.map(nearestBFloat16) == bfloat16s, "\(divergence) by \(set)")
                    }
                }
            }
        }
    }

    @Test(
        "What fits Float but not BF16 is told", arguments: RowContrastTests.divergences,
        RowContrastTests.types + [.float64])
    func tooLargeForBFloat16(_ divergence: Divergence, _ type: ElementType) throws {
        let triple = RowTriple("", [0, 1, 2], [2, 1, 0], [0, 0, 0])
        for set in InstructionSet.available {
            let contrast = RowContrast(divergence, temperature: 1, instructionSet: set)
            let unit = contrast.gradients(of: triple, type, PerReference(1)).rows
            let largest = Double(try #require(unit.flatMap(\.self).map(\.magnitude).max()))
            // Between the largest BF16, 0x1.fep127, and the largest Float, 0x1.fffffep127.
            let beyond = PerReference(0x1.ff8p127 / largest)
            #expect(contrast.gradients(of: triple, type, beyond).isFinite)
            #expect(!contrast.bfloat16s(of: triple, type, beyond).isFinite)
            #expect(contrast.bfloat16s(of: triple, type, PerReference(0x1.fep127 / largest)).isFinite)
        }
    }

    @Test("What was there counts where a sum exceeds Float", arguments: RowContrastTests.types + [.float64])
    func tooLargeTogether(_ type: ElementType) {
        let triple = RowTriple("", [0, 1, 2], [2, 1, 0], [0, 0, 0])
        for set in InstructionSet.available {
            let contrast = RowContrast(.kullbackLeibler, temperature: 1, instructionSet: set)
            let slopes = PerReference(4e37, -4e37)
            #expect(contrast.gradients(of: triple, type, slopes).isFinite)
            #expect(!contrast.gradients(of: triple, type, slopes, base: .greatestFiniteMagnitude).isFinite)
        }
    }
}
