import Batches
import Perception
import TestMaterial
import Testing

@Suite struct RankingTests {
    @Test func `the k-th largest agrees with sorting`() {
        var generator = SeededGenerator(seed: 7)
        for count in [1, 2, 3, 10, 257] {
            // Few distinct values, so that ties are the rule.
            let values = (0..<count).map { _ in Double(Int.random(in: 0..<7, using: &generator)) }
            for k in 1...count {
                let mask = PerceptionDetector(
                    score: .absolute, topKRatio: Double(k) / Double(count), quota: .ceil, ties: .all
                ).detect(
                    .entropies(original: values.map { _ in -1 }, removing: values),
                    responseMask: [UInt8](repeating: 1, count: count), rows: Rows(lengths: [count])
                ).mask
                let keep = PerceptionDetector(topKRatio: Double(k) / Double(count), quota: .ceil).keep(
                    of: count)
                let threshold = values.sorted(by: >)[keep - 1]
                #expect(mask == values.map { $0 >= threshold ? 1 : 0 })
            }
        }
    }

    @Test(
        arguments: [PerceptionDetector.Ties.all, .first],
        ["rising", "falling", "equal", "organ pipe", "random"])
    func `selection agrees with sorting, whatever the order`(ties: PerceptionDetector.Ties, order: String) {
        var random = SeededGenerator(seed: 11)
        for count in [1, 2, 8, 63, 1000] {
            let scores: [Double] = (0..<count).map { index in
                switch order {
                case "rising": Double(index)
                case "falling": Double(count - index)
                case "equal": 1
                case "organ pipe": Double(min(index, count - index) / 3)
                default: Double.random(in: -1...1, using: &random)
                }
            }
            let detector = PerceptionDetector(score: .absolute, topKRatio: 0.3, quota: .ceil, ties: ties)
            let found = detector.detect(
                .entropies(original: [Double](repeating: 0, count: count), removing: scores),
                responseMask: [UInt8](repeating: 1, count: count), rows: Rows(lengths: [count]))
            let candidates = scores.indices.filter { scores[$0] > 0 }
            // Stable, so that of equal scores the first win.
            let ranked = candidates.sorted { (scores[$1], $0) < (scores[$0], $1) }
            let k = detector.keep(of: candidates.count)
            let kept = ranked.enumerated().filter { place, token in
                place < k || (ties == .all && scores[token] == scores[ranked[k - 1]])
            }.map(\.element)
            #expect(found.mask.indices.filter { found.mask[$0] == 1 } == kept.sorted())
        }
    }

    @Test("So it does of scores that are negative, where every token is a candidate")
    func negative() {
        var random = SeededGenerator(seed: 12)
        for ties in PerceptionDetector.Ties.allCases {
            let scores = (0..<500).map { _ in Double(Int.random(in: -60...10, using: &random)) / 8 }
            let detector = PerceptionDetector(method: .divergence, topKRatio: 0.9, ties: ties)
            let found = detector.detect(
                .divergences(scores, isRising: nil), responseMask: [UInt8](repeating: 1, count: 500),
                rows: Rows(lengths: [500]))
            let k = detector.keep(of: 500)
            let threshold = scores.sorted(by: >)[k - 1]
            #expect(threshold < 0)
            switch ties {
            case .all: #expect(found.mask == scores.map { $0 >= threshold ? 1 : 0 })
            case .first:
                let ranked = scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }
                #expect(found.mask.indices.filter { found.mask[$0] == 1 } == ranked[..<k].sorted())
            }
        }
    }
}
