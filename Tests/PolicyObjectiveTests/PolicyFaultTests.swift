import ContrastiveLoss
import Batches
import PolicyObjective
import Testing

@Suite struct PolicyFaultTests {
    private let loss = PolicyLoss(kl: ReferenceKL(coefficient: 1))

    /// 20,000 tokens in sequences of many pieces, every token of the response.
    private var whole: PolicyBatch {
        var batch = PolicyBatch.random([9000, 0, 11000], seed: 41, spreads: [0.3])
        batch.responseMask = [UInt8](repeating: 1, count: 20000)
        return batch
    }

    @Test(arguments: ClippedSurrogate.ImportanceLevel.allCases, [Double.nan, .infinity, -.infinity])
    func `the first token that is not finite is named`(
        level: ClippedSurrogate.ImportanceLevel, bad: Double
    ) {
        let loss = PolicyLoss(surrogate: ClippedSurrogate(level: level), kl: ReferenceKL(coefficient: 1))
        for token in [0, 8999, 9000, 19_999] {
            var batch = whole
            batch.logProbabilities[token] = bad
            batch.advantages?[19_999] = .nan
            #expect(throws: PolicyLossError.notFinite(.logProbabilities, token: token)) {
                try loss.score(batch)
            }
            batch = whole
            batch.oldLogProbabilities?[token] = bad
            #expect(throws: PolicyLossError.notFinite(.oldLogProbabilities, token: token)) {
                try loss.score(batch)
            }
        }
    }

    @Test func `every other list is named too`() {
        var batch = whole
        batch.advantages?[12_345] = .nan
        #expect(throws: PolicyLossError.notFinite(.advantages, token: 12_345)) { try loss.score(batch) }
        batch = whole
        batch.advantageScale?[2] = .infinity
        #expect(throws: PolicyLossError.notFinite(.advantageScale, token: 9000)) { try loss.score(batch) }
        batch = whole
        batch.referenceLogProbabilities?[5000] = -.infinity
        #expect(throws: PolicyLossError.notFinite(.referenceLogProbabilities, token: 5000)) {
            try loss.score(batch)
        }
    }

    @Test func `what is finite on the way in may not be on the way out`() {
        var batch = whole
        batch.advantages?[7] = -1e308
        batch.logProbabilities[7] = -1
        batch.oldLogProbabilities?[7] = -5
        #expect(throws: PolicyLossError.overflow(.policyLoss, token: 7)) { try loss.score(batch) }
        batch = whole
        batch.referenceLogProbabilities?[11] = -1e200
        let k2 = PolicyLoss(surrogate: nil, kl: ReferenceKL(estimator: .k2))
        #expect(throws: PolicyLossError.overflow(.kl, token: 11)) { try k2.score(batch) }
        batch = whole
        batch.advantages = [Double](repeating: 1.5e308, count: 20_000)
        batch.advantageScale = nil
        batch.oldLogProbabilities = batch.logProbabilities
        #expect(throws: PolicyLossError.sumOverflow(.policyLoss)) { try loss.score(batch) }
    }

    /// Large enough to be handed out, and the same numbers one sequence at a time, which is done in place.
    @Test(arguments: ClippedSurrogate.ImportanceLevel.allCases)
    func `how the work is divided changes no bit`(level: ClippedSurrogate.ImportanceLevel) throws {
        let lengths = [0, 30_000, 1, 4096, 4097, 8000, 7, 25_000]
        let batch = PolicyBatch.random(lengths, seed: 42)
        let loss = PolicyLoss(
            surrogate: ClippedSurrogate(dualClip: 3, level: level), kl: ReferenceKL(coefficient: 0.1),
            aggregation: Aggregation(mode: .sequenceMeanTokenSum, globalBatchSize: 1))
        let report = try loss.score(batch)
        #expect(try loss.score(batch) == report)
        var numerator = 0.0
        for sequence in 0..<lengths.count {
            let tokens = batch.sequences[sequence]
            let alone = PolicyBatch(
                sequences: Sequences(lengths: [tokens.count]),
                responseMask: Array(batch.responseMask[tokens]),
                logProbabilities: Array(batch.logProbabilities[tokens]),
                oldLogProbabilities: batch.oldLogProbabilities.map { Array($0[tokens]) },
                referenceLogProbabilities: batch.referenceLogProbabilities.map { Array($0[tokens]) },
                advantages: batch.advantages.map { Array($0[tokens]) },
                advantageScale: batch.advantageScale.map { [$0[sequence]] })
            let part = try loss.score(alone)
            #expect(part.policy?.gradient == report.policy.map { Array($0.gradient[tokens]) })
            #expect(part.kl?.gradient == report.kl.map { Array($0.gradient[tokens]) })
            numerator += try #require(part.policy).aggregated.numerator
        }
        #expect(report.policy?.aggregated.numerator == numerator)
    }
}
