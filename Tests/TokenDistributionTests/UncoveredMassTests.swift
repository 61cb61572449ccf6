import Tensor
import Testing
import TokenDistribution

@Suite("Divergences where one row lacks what the other has")
struct UncoveredMassTests {
    static let lengths = [2, 7, 8, 9, 100]

    /// One entry is −inf for the anchor and another for the second reference; the first has them all.
    private func triple(_ length: Int, depth: Float = 0) -> RowTriple {
        func row(without place: Int?) -> [Float] {
            (0..<length).map { $0 == place ? -.infinity : $0 == 0 || $0 == length - 1 ? depth : 1 }
        }
        return RowTriple(
            "", row(without: length - 1), row(without: nil), row(without: 0))
    }

    private func found(
        _ divergence: Divergence, _ triple: RowTriple, _ type: ElementType, _ set: InstructionSet
    ) -> PerReference<Double> {
        RowContrast(divergence, temperature: 1, instructionSet: set).divergences(of: triple, type)
    }

    @Test(
        "Kullback–Leibler looks at the anchor's mass, Jeffreys' at that of both, Jensen–Shannon is finite",
        arguments: lengths, RowContrastTests.types + [.float64])
    func infinite(_ length: Int, _ type: ElementType) throws {
        for set in InstructionSet.available {
            let kullback = found(.kullbackLeibler, triple(length), type, set)
            #expect(kullback.first.isFinite && kullback.second == .infinity)
            let jeffreys = found(.jeffreys, triple(length), type, set)
            #expect(jeffreys == PerReference(.infinity, .infinity))
            let jensen = found(.jensenShannon, triple(length), type, set)
            let other = try #require(jensen.second)
            #expect(jensen.first.isFinite && other.isFinite)
        }
    }

    @Test(
        "An entry so deep that it has no mass needs none on the other side",
        arguments: lengths.filter { $0 > 2 }, RowContrastTests.types + [.float64])
    func noMass(_ length: Int, _ type: ElementType) throws {
        for set in InstructionSet.available {
            for divergence in RowContrastTests.divergences {
                let values = found(divergence, triple(length, depth: -2000), type, set)
                let other = try #require(values.second)
                #expect(values.first <= 1e-12 && other <= 1e-12)
            }
        }
    }

    @Test("A slope of 0 keeps an infinite divergence out of the gradients", arguments: lengths)
    func noSlope(_ length: Int) {
        let triple = triple(length)
        for type in RowContrastTests.types + [.float64] {
            for set in InstructionSet.available {
                let jeffreys = RowContrast(.jeffreys, temperature: 1, instructionSet: set).gradients(
                    of: triple, type, PerReference(0, 0))
                #expect(jeffreys.isFinite && jeffreys.rows.allSatisfy { $0.allSatisfy { $0 == 0 } })
                // Only that with the second is infinite: the first's part stays.
                let kullback = RowContrast(.kullbackLeibler, temperature: 1, instructionSet: set)
                let both = kullback.gradients(of: triple, type, PerReference(2, 0))
                #expect(both.isFinite && both.rows[2].allSatisfy { $0 == 0 })
                #expect(both.rows[1].contains { $0 != 0 })
                #expect(both.rows[0] == kullback.gradients(of: triple, type, PerReference(2)).rows[0])
            }
        }
    }
}
