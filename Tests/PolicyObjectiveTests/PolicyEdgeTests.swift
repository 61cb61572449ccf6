import ContrastiveLoss
import Glibc
import Batches
import PolicyObjective
import Testing

/// One sequence whose log-ratios are as given and whose old log-probs are −1.
private func oneSequence(
    _ logRatios: [Double], advantages: [Double], mask: [UInt8]? = nil
) -> PolicyBatch {
    PolicyBatch(
        sequences: Sequences(lengths: [logRatios.count]),
        responseMask: mask ?? [UInt8](repeating: 1, count: logRatios.count),
        logProbabilities: logRatios, oldLogProbabilities: logRatios.map { _ in 0 },
        referenceLogProbabilities: logRatios.map { _ in 0 }, advantages: advantages)
}

/// A divisor of 1, so that losses and gradients are those of tokens.
private let plainSum = Aggregation(mode: .sequenceMeanTokenSum)

@Suite struct PolicyEdgeTests {
    @Test(arguments: Aggregation.Mode.allCases)
    func `nothing, empty sequences and sequences without a response lose nothing`(mode: Aggregation.Mode)
        throws
    {
        for lengths in [[], [0], [0, 0], [3, 0, 2]] {
            let sequences = Sequences(lengths: lengths)
            let unread = [Double](repeating: .nan, count: sequences.tokens)
            let batch = PolicyBatch(
                sequences: sequences, responseMask: [UInt8](repeating: 0, count: sequences.tokens),
                logProbabilities: unread,
                oldLogProbabilities: unread, referenceLogProbabilities: unread, advantages: unread)
            for level in ClippedSurrogate.ImportanceLevel.allCases {
                let report = try PolicyLoss(
                    surrogate: ClippedSurrogate(level: level), kl: ReferenceKL(coefficient: 1),
                    aggregation: Aggregation(mode: mode, denominator: 6)
                ).score(batch)
                #expect(report.loss == 0 && report.clipFraction == 0)
                #expect(report.policy?.aggregated.numerator == 0 && report.kl?.aggregated.numerator == 0)
                #expect(report.policy?.gradient == unread.map { _ in 0 })
                #expect(report.kl?.gradient == unread.map { _ in 0 })
            }
        }
    }

    @Test(arguments: ClippedSurrogate.ImportanceLevel.allCases)
    func `what is outside the response is never read`(level: ClippedSurrogate.ImportanceLevel) throws {
        var batch = PolicyBatch.random([70, 9], seed: 31)
        let loss = PolicyLoss(
            surrogate: ClippedSurrogate(level: level, tokens: .perception),
            kl: ReferenceKL(estimator: .k3Plus, coefficient: 1))
        let clean = try loss.score(batch)
        for token in 0..<79 where batch.responseMask[token] == 0 {
            batch.logProbabilities[token] = [.nan, .infinity][token % 2]
            batch.oldLogProbabilities?[token] = -.infinity
            batch.referenceLogProbabilities?[token] = .nan
            batch.advantages?[token] = .nan
        }
        #expect(try loss.score(batch) == clean)
    }

    @Test func `an advantage of 0 loses nothing and clips nothing`() throws {
        let report = try PolicyLoss(surrogate: ClippedSurrogate(dualClip: 3)).score(
            oneSequence([-30, -1, 0, 1, 30], advantages: [0, -0.0, 0, 0, -0.0]))
        #expect(report.loss == 0 && report.clipFraction == 0)
        #expect(report.policy?.gradient.allSatisfy { $0 == 0 } == true)
    }

    /// The bounds are taken from the ratio itself, so that it is exactly on them.
    @Test(arguments: [1.0, -1.0])
    func `a ratio exactly on a clip bound has its whole slope and counts as unclipped`(advantage: Double)
        throws
    {
        let (low, high) = (exp(-0.25), exp(0.25))
        let surrogate = ClippedSurrogate(clipLow: 1 - low, clipHigh: high - 1)
        // Sterbenz: the bounds come back without rounding.
        #expect(1 - surrogate.clipLow == low && 1 + surrogate.clipHigh == high)
        let report = try PolicyLoss(surrogate: surrogate, aggregation: plainSum).score(
            oneSequence([-0.25, 0.25], advantages: [advantage, advantage]))
        #expect(report.policy?.gradient == [-advantage * low, -advantage * high])
        #expect(report.clipFraction == 0)
    }

    @Test
    func `the dual clip acts on negative advantages alone, and a loss exactly on it has half of its slope`()
        throws
    {
        let c = exp(1.0)
        let batch = oneSequence([0.5, 1, 2, 2, 1], advantages: [-2, -2, -2, 2, 2])
        let report = try PolicyLoss(surrogate: ClippedSurrogate(dualClip: c), aggregation: plainSum).score(
            batch)
        // Of positive advantages both are beyond the upper bound.
        #expect(report.policy?.gradient == [2 * exp(0.5), c, 0, 0, 0])
        let expected = 2 * exp(0.5) + 2 * c + 2 * c - 2 * 1.2 - 2 * 1.2
        #expect(abs(report.loss - expected) < 1e-14 * expected)
        #expect(report.clipFraction == 0.4)
    }

    @Test func `a log-ratio passes on its clamp and not beyond`() throws {
        let free = ClippedSurrogate(clipLow: 1, clipHigh: 1e12)
        let report = try PolicyLoss(surrogate: free, aggregation: plainSum).score(
            oneSequence([20, 20.5, -20, -21], advantages: [1, 1, 1, 1]))
        #expect(report.policy?.gradient == [-exp(20.0), 0, -exp(-20.0), 0])
        #expect(report.policy?.aggregated.loss == -(exp(20.0) + exp(20.0) + exp(-20.0) + exp(-20.0)))
        var sequence = free
        sequence.level = .sequence
        for (mean, passes) in [(10.0, true), (10.5, false), (-40, true)] {
            let report = try PolicyLoss(surrogate: sequence, aggregation: plainSum).score(
                oneSequence([mean - 1, mean + 1], advantages: [1, 1]))
            let ratio = exp(min(mean, 10))
            #expect(report.policy?.aggregated.loss == -2 * ratio)
            #expect(report.policy?.gradient == [Double](repeating: passes ? -ratio : 0, count: 2))
        }
    }

    @Test func `k3 is kept to 10 and loses its slope there, k3+ keeps k2's`() throws {
        let batch = oneSequence([-2, -3, 12, 25], advantages: [0, 0, 0, 0])
        func part(_ estimator: ReferenceKL.Estimator) throws -> PolicyReport.Component {
            let loss = PolicyLoss(
                surrogate: nil, kl: ReferenceKL(estimator: estimator), aggregation: plainSum)
            return try #require(try loss.score(batch).kl)
        }
        let (k3, plus) = (try part(.k3), try part(.k3Plus))
        #expect(k3.aggregated.loss == (expm1(2) - 2) + 10 + 10 + 10)
        #expect(k3.gradient == [-expm1(2), 0, 0, 0])
        #expect(plus.aggregated == k3.aggregated)
        #expect(plus.gradient == [-2, -3, 12, 25])
    }

    /// e^x − x − 1 of such a small x would be rounding noise.
    @Test func `k3 of nearly equal policies is d²/2 and never negative`() throws {
        let batch = oneSequence([1e-7, -1e-7, 1e-12, 0], advantages: [0, 0, 0, 0])
        let loss = PolicyLoss(surrogate: nil, kl: ReferenceKL(), aggregation: plainSum)
        let found = try #require(try loss.score(batch).kl).aggregated.loss
        #expect(found >= 0 && abs(found - 1e-14) < 1e-20)
    }
}
