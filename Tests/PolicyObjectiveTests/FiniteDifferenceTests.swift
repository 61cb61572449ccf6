import ContrastiveLoss
import Batches
import PolicyObjective
import Testing

/// Every gradient against the loss's own central differences, away from kinks.
@Suite struct FiniteDifferenceTests {
    /// (f(x + h) − f(x − h)) / 2h for each log-prob, with f one of a report's losses.
    private func differences(
        _ loss: PolicyLoss, _ batch: PolicyBatch, _ value: (PolicyReport) throws -> Double
    ) throws -> [Double] {
        let h = 1e-6
        return try (0..<batch.sequences.tokens).map { token in
            var moved = batch
            moved.logProbabilities[token] += h
            let up = try value(loss.score(moved))
            moved.logProbabilities[token] -= 2 * h
            return (up - (try value(loss.score(moved)))) / (2 * h)
        }
    }

    private func check(_ found: [Double], _ expected: [Double]) {
        let largest = found.map(\.magnitude).max() ?? 0
        #expect(largest > 0)
        for (token, (found, expected)) in zip(found, expected).enumerated() {
            #expect(abs(found - expected) <= 1e-6 * abs(found) + 1e-8 * largest, "token \(token)")
        }
    }

    @Test(arguments: [nil, 2.0], Aggregation.Mode.allCases)
    func `of the surrogate at token level`(dualClip: Double?, mode: Aggregation.Mode) throws {
        let batch = PolicyBatch.random([9, 0, 14], seed: 21, spreads: [0.1, 0.5, 1.5])
        let loss = PolicyLoss(
            surrogate: ClippedSurrogate(dualClip: dualClip),
            aggregation: Aggregation(mode: mode, denominator: 6))
        let gradient = try #require(try loss.score(batch).policy?.gradient)
        check(gradient, try differences(loss, batch) { try #require($0.policy).aggregated.loss })
    }

    /// The sequence's ratio depends on all its tokens; the gradient is of each token's own log-prob, so that the sum
    /// over a sequence with one advantage is right, and every token of it gets an equal share.
    @Test func `of the surrogate at sequence level, by sequences`() throws {
        var batch = PolicyBatch.random([9, 0, 14, 6], seed: 22, spreads: [0.05, 0.1])
        for sequence in 0..<batch.sequences.count {
            for token in batch.sequences[sequence] {
                batch.advantages?[token] = [1.5, 0, -0.7, 0.4][sequence]
            }
        }
        let loss = PolicyLoss(
            surrogate: ClippedSurrogate(level: .sequence),
            aggregation: Aggregation(mode: .sequenceMeanTokenMean))
        let gradient = try #require(try loss.score(batch).policy?.gradient)
        check(gradient, try differences(loss, batch) { try #require($0.policy).aggregated.loss })
        for sequence in 0..<batch.sequences.count {
            let shares = Set(
                batch.sequences[sequence].filter { batch.responseMask[$0] == 1 }.map { gradient[$0] })
            #expect(shares.count == (sequence == 1 ? 0 : 1))
        }
    }

    @Test(arguments: [ReferenceKL.Estimator.k1, .k2, .k3])
    func `of the penalty`(estimator: ReferenceKL.Estimator) throws {
        let batch = PolicyBatch.random([12, 5], seed: 23, spreads: [0.1, 1, 8])
        let loss = PolicyLoss(surrogate: nil, kl: ReferenceKL(estimator: estimator))
        let gradient = try #require(try loss.score(batch).kl?.gradient)
        check(gradient, try differences(loss, batch) { try #require($0.kl).aggregated.loss })
    }
}
