import Batches
import Perception
import Testing

@Suite struct EntropyDetectorTests {
    let original = [0.5, 1, 0.2, 0.05, 2, 0, 0.3, 0.8]
    let removing = [1.5, 0.9, 0.2, 0.1, 2.5, 0.4, 0.6, 1.6]

    func detect(_ detector: PerceptionDetector, mask: [UInt8]? = nil) -> Detection {
        let mask = mask ?? [UInt8](repeating: 1, count: original.count)
        return detector.detect(
            .entropies(original: TokenNumbers(original), removing: TokenNumbers(removing)),
            responseMask: mask,
            sequences: Sequences(lengths: [original.count]))
    }

    @Test func `relative scores are the golden ones`() throws {
        let golden = [0.66666622, 0, 0, 0.49999500, 0.19999992, 0.99999750, 0.49999917, 0.49999969]
        let found = detect(PerceptionDetector())
        for (score, expected) in zip(try #require(found.score), golden) {
            #expect(abs(score - expected) < 6e-9)
        }
        #expect(found.candidates == [1, 0, 0, 1, 1, 1, 1, 1])
    }

    @Test func `candidates rise by more than the minimum`() {
        let found = detect(PerceptionDetector(minimumDeltaEntropy: 0.5, topKRatio: 1))
        #expect(found.candidates == [1, 0, 0, 0, 0, 0, 0, 1] && found.mask == found.candidates)
    }

    @Test(arguments: [
        (0.5, PerceptionDetector.Quota.floor, [0, 5, 7]), (0.5, .ceil, [0, 5, 7]), (0.4, .floor, [0, 5]),
        (0.4, .ceil, [0, 5, 7]), (0.1, .floor, [5]), (0.1, .ceil, [5]), (1, .floor, [0, 3, 4, 5, 6, 7]),
    ])
    func `the golden masks`(ratio: Double, quota: PerceptionDetector.Quota, expected: [Int]) {
        let mask = detect(PerceptionDetector(topKRatio: ratio, quota: quota)).mask
        #expect(mask.indices.filter { mask[$0] == 1 } == expected)
    }

    @Test func `a quota for each segment`() {
        let detector = PerceptionDetector(quota: .ceil, scope: .segment, ties: .first)
        let mask = detect(detector, mask: [0, 1, 1, 1, 0, 1, 1, 1]).mask
        #expect(mask.indices.filter { mask[$0] == 1 } == [3, 5, 7])
    }

    @Test(arguments: [(PerceptionDetector.Ties.all, [1, 2, 3, 4]), (.first, [1, 2])])
    func `ties at the k-th score`(ties: PerceptionDetector.Ties, expected: [Int]) {
        // Candidates 1…4: one score of 2 and three of 1; k = 2.
        let mask = PerceptionDetector(score: .absolute, ties: ties).detect(
            .entropies(original: [1, 1, 1, 1, 1], removing: [1, 3, 2, 2, 2]),
            responseMask: [1, 1, 1, 1, 1], sequences: Sequences(lengths: [5])
        ).mask
        #expect(mask.indices.filter { mask[$0] == 1 } == expected)
    }

    @Test func `the quota's product is rounded to Float32 first`() {
        #expect(PerceptionDetector(topKRatio: 0.29, quota: .floor).keep(of: 100) == 29)
        #expect(100 * 0.29 < 29)
        #expect(PerceptionDetector(topKRatio: 0.01, quota: .floor).keep(of: 5) == 1)
        #expect(PerceptionDetector(topKRatio: 0.01, quota: .floor).keep(of: 0) == 0)
    }

    @Test func `padding never takes part`() {
        let found = PerceptionDetector(topKRatio: 1).detect(
            .entropies(original: [0, 0, 0], removing: [1, 50, 2]), responseMask: [1, 0, 1],
            sequences: Sequences(lengths: [3]))
        #expect(found.mask == [1, 0, 1] && found.candidates == [1, 0, 1])
        #expect(found.deltaEntropy == [1, 0, 2] && found.score?[1] == 0)
    }
}
