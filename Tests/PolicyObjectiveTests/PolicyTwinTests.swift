import ContrastiveLoss
import Batches
import PolicyObjective
import Testing

@Suite struct PolicyTwinTests {
    static let surrogates: [ClippedSurrogate] = ClippedSurrogate.ImportanceLevel.allCases.flatMap { level in
        ClippedSurrogate.Tokens.allCases.flatMap { tokens in
            [nil, 1.1, 3].map { dual in
                ClippedSurrogate(clipLow: 0.1, clipHigh: 0.28, dualClip: dual, level: level, tokens: tokens)
            }
        }
    }

    @Test(arguments: surrogates, Aggregation.Mode.allCases)
    func `the surrogate agrees with its twin`(surrogate: ClippedSurrogate, mode: Aggregation.Mode) throws {
        let batch = PolicyBatch.random([40, 0, 1, 333, 7], seed: 11)
        let aggregation = Aggregation(mode: mode, denominator: 6)
        let report = try PolicyLoss(surrogate: surrogate, aggregation: aggregation).score(batch)
        let weights = aggregation.tokenWeights(mask: batch.responseMask, sequences: batch.sequences)
        var losses = [Double](repeating: 0, count: batch.sequences.tokens)
        var clipped = 0
        for sequence in 0..<batch.sequences.count {
            let tokens = batch.sequences[sequence].filter { batch.responseMask[$0] == 1 }
            let differences = tokens.map { batch.logProbabilities[$0] - batch.oldLogProbabilities![$0] }
            let mean = differences.reduce(0, +) / Double(max(1, tokens.count))
            for (token, difference) in zip(tokens, differences) {
                let twin = PolicyTwin(
                    surrogate, logRatio: surrogate.level == .token ? difference : mean,
                    advantage: batch.advantages![token] * batch.advantageScale![sequence])
                if twin.isClipped { clipped += 1 }
                let isKept = surrogate.tokens == .response || batch.perceptionMask![token] == 1
                losses[token] = isKept ? twin.loss : 0
                let slope = isKept ? twin.slope * weights[sequence] : 0
                let found = try #require(report.policy?.gradient[token])
                #expect(abs(found - slope) <= 1e-12 * abs(slope), "token \(token)")
            }
        }
        let expected = aggregation.aggregate(
            losses: losses, mask: batch.responseMask, sequences: batch.sequences)
        let found = try #require(report.policy?.aggregated)
        #expect(abs(found.loss - expected.loss) <= 1e-12 * abs(expected.loss) && found.loss != 0)
        #expect(found.denominator == expected.denominator)
        let tokens = batch.responseMask.reduce(0) { $0 + Int($1) }
        #expect(report.clipFraction == Double(clipped) / Double(tokens) && clipped > 0)
        #expect(report.kl == nil && report.loss == found.loss)
        for token in losses.indices where batch.responseMask[token] == 0 {
            #expect(report.policy?.gradient[token] == 0)
        }
    }

    @Test(arguments: ReferenceKL.Estimator.allCases)
    func `the penalty agrees with its twin`(estimator: ReferenceKL.Estimator) throws {
        let batch = PolicyBatch.random([200, 0, 55], seed: 12)
        let kl = ReferenceKL(estimator: estimator, coefficient: 0.3)
        let report = try PolicyLoss(surrogate: nil, kl: kl).score(batch)
        let part = try #require(report.kl)
        let weights = Aggregation().tokenWeights(mask: batch.responseMask, sequences: batch.sequences)
        var losses = [Double](repeating: 0, count: 255)
        for token in 0..<255 where batch.responseMask[token] == 1 {
            let d = batch.logProbabilities[token] - batch.referenceLogProbabilities![token]
            let (value, slope) = twin(estimator, d)
            losses[token] = value
            let expected = slope * weights[batch.sequences.sequence(of: token)]
            #expect(abs(part.gradient[token] - expected) <= 1e-12 * abs(expected) + 1e-18, "token \(token)")
        }
        let expected = Aggregation().aggregate(
            losses: losses, mask: batch.responseMask, sequences: batch.sequences)
        #expect(abs(part.aggregated.loss - expected.loss) <= 1e-13 * abs(expected.loss))
        #expect(report.policy == nil && report.clipFraction == nil)
        #expect(report.loss == 0.3 * part.aggregated.loss)
    }

    @Test func `the sum's gradient is scaled and added to what is there`() throws {
        let batch = PolicyBatch.random([30, 12], seed: 13)
        let loss = PolicyLoss(kl: ReferenceKL(estimator: .k2, coefficient: 0.5))
        let report = try loss.score(batch)
        let (policy, kl) = (try #require(report.policy), try #require(report.kl))
        #expect(report.loss == policy.aggregated.loss + 0.5 * kl.aggregated.loss)
        var gradient = [Double](repeating: 7, count: 42)
        report.addGradient(to: &gradient, scale: -2)
        for token in 0..<42 {
            let expected = 7 - 2 * (policy.gradient[token] + 0.5 * kl.gradient[token])
            #expect(abs(gradient[token] - expected) <= 1e-14 * (7 + abs(expected)))
        }
        var watched = report
        watched.klCoefficient = 0
        var alone = [Double](repeating: 0, count: 42)
        watched.addGradient(to: &alone)
        #expect(alone == policy.gradient)
    }
}
