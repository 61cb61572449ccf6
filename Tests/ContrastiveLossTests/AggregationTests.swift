import Batches
import ContrastiveLoss
import Testing

@Suite struct AggregationTests {
    let sequences = Sequences(lengths: [3, 2, 1])
    let losses: [Double] = [1, 2, 4, 8, 16, 32]
    let mask: [UInt8] = [1, 0, 1, 1, 1, 0]

    struct Expectation: Sendable {
        var aggregation: Aggregation
        var loss: Double
        var numerator: Double
        var denominator: Double
    }

    static let expectations: [Expectation] = [
        Expectation(aggregation: Aggregation(), loss: 7.25, numerator: 29, denominator: 4),
        Expectation(
            aggregation: Aggregation(mode: .sequenceMeanTokenSum), loss: 9.666_666_667, numerator: 29,
            denominator: 3),
        Expectation(
            aggregation: Aggregation(mode: .sequenceMeanTokenMean), loss: 4.833_333_333, numerator: 14.5,
            denominator: 3),
        Expectation(
            aggregation: Aggregation(mode: .sequenceMeanTokenSumNorm), loss: 3.222_222_222,
            numerator: 9.666_666_667, denominator: 3),
        Expectation(
            aggregation: Aggregation(mode: .sequenceMeanTokenSumNorm, normLength: 10), loss: 0.966_666_667,
            numerator: 2.9, denominator: 3),
        Expectation(
            aggregation: Aggregation(mode: .sequenceMeanTokenSum, globalBatchSize: 29), loss: 1,
            numerator: 29,
            denominator: 29),
        Expectation(
            aggregation: Aggregation(mode: .tokenSum, denominator: 58), loss: 0.5, numerator: 29,
            denominator: 58),
    ]

    @Test(arguments: expectations)
    func `each mode divides by what its name says`(expected: Expectation) {
        let result = expected.aggregation.aggregate(losses: losses, mask: mask, sequences: sequences)
        #expect(abs(result.loss - expected.loss) < 2e-7)
        #expect(abs(result.numerator - expected.numerator) < 2e-7)
        #expect(abs(result.denominator - expected.denominator) < 2e-8)
    }

    @Test(arguments: Aggregation.Mode.allCases)
    func `an empty batch has loss zero`(mode: Aggregation.Mode) {
        let result = Aggregation(mode: mode, denominator: 7).aggregate(
            losses: [], mask: [], sequences: Sequences(lengths: []))
        #expect(result.loss == 0 && result.numerator == 0)
    }

    @Test(arguments: Aggregation.Mode.allCases)
    func `a token weighs what the loss moves by`(mode: Aggregation.Mode) {
        let aggregation = Aggregation(mode: mode, normLength: 7, globalBatchSize: 5, denominator: 11)
        let found = aggregation.aggregate(losses: losses, mask: mask, sequences: sequences)
        #expect(aggregation.tokenWeights(mask: mask, sequences: sequences) == found.tokenWeights)
        for token in losses.indices {
            var moved = losses
            moved[token] += 1
            let slope =
                aggregation.aggregate(losses: moved, mask: mask, sequences: sequences).loss - found.loss
            let expected = mask[token] == 1 ? found.tokenWeights[sequences.sequence(of: token)] : 0
            #expect(abs(slope - expected) < 1e-9)
        }
    }

    @Test func `a token-sum doesn't look at how many tokens there are`() {
        let aggregation = Aggregation(mode: .tokenSum, denominator: 4)
        let ones = aggregation.aggregate(losses: losses, mask: [1, 1, 1, 1, 1, 1], sequences: sequences)
        #expect(ones.loss == 63.0 / 4 && ones.numerator == 63 && ones.denominator == 4)
        let none = aggregation.aggregate(losses: losses, mask: [0, 0, 0, 0, 0, 0], sequences: sequences)
        #expect(none.loss == 0 && none.tokenWeights == [0.25, 0.25, 0.25])
    }

    @Test func `the modes that count sequences are those whose names say so`() {
        let counting = Aggregation.Mode.allCases.filter(\.countsSequences)
        #expect(counting.allSatisfy { $0.rawValue.hasPrefix("seq-mean") } && counting.count == 3)
    }
}
