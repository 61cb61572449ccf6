import Glibc
import Tensor
import Testing
import TokenDistribution

@Suite("Log-probabilities of single tokens")
struct RowSummaryTests {
    private func summary(_ row: [Double], _ temperature: Double = 1) throws -> RowSummary {
        let logits = VocabularyLogits(DenseTensor(row, shape: [1, row.count]), temperature: temperature)
        guard case .defined(let summary) = logits.statistics(ofRow: 0) else {
            throw Undefined()
        }
        return summary
    }

    private struct Undefined: Error {}

    @Test("Beside logits of 1e16 the small differences stay", arguments: [1e16, -1e16, 0])
    func large(_ level: Double) throws {
        let row = [level, level + 2, level - 4]
        let summary = try summary(row)
        let twin = RowTwin([0, 2, -4], temperature: 1)
        for (logit, z) in zip(row, [0.0, 2, -4]) {
            #expect(abs(summary.logProbability(ofLogit: logit) - (z - twin.logSumExp)) <= 1e-15 * 8)
        }
        #expect(abs(summary.entropy - twin.entropy) <= 1e-14)
        // The sum itself has no such digits left.
        #expect(abs(summary.logSumExp - (level + twin.logSumExp)) <= max(1e-14, level.magnitude.ulp))
    }

    @Test("A temperature that makes z/T overflow leaves differences", arguments: [Float(1e16), -1e16])
    func cold(_ level: Float) throws {
        let temperature = 1e-300
        let row = [Double(level), Double(level)]
        let summary = try summary(row, temperature)
        #expect(abs(summary.logProbability(ofLogit: row[0]) + log(2)) <= 1e-15)
        #expect(abs(summary.entropy - log(2)) <= 1e-15)
    }

    @Test("A certain token has exactly 0, and none has more", arguments: [1, 0.7, 1.3, 3.1])
    func certain(_ temperature: Double) throws {
        for step in 1...100 {
            let logit = Double(step) * 0.37
            let summary = try summary([logit, -.infinity], temperature)
            #expect(summary.logProbability(ofLogit: logit) == 0)
            #expect(summary.logProbability(ofLogit: logit.nextUp) <= 0)
            #expect(summary.logProbability(ofLogit: -.infinity) == -.infinity)
        }
    }

    @Test("Float rows agree with the twin too, by every instruction set", arguments: RowTriple.all)
    func rows(_ triple: RowTriple) throws {
        let twin = obviousLogProbabilities(triple.anchor, 0.7)
        for set in InstructionSet.available {
            var statistics = RowStatistics(temperature: 0.7, instructionSet: set)
            triple.withBytes(.float32) { row, _, _ in statistics.add(row, as: .float32) }
            guard case .defined(let summary) = statistics.outcome else { throw Undefined() }
            for (logit, expected) in zip(triple.anchor, twin) {
                let found = summary.logProbability(ofLogit: Double(logit))
                #expect(
                    isNear(found, expected, 1e-6),
                    "\(set): \(found), not \(expected)")
            }
        }
    }
}
