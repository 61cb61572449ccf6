import Batches
import Glibc
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
                    .entropies(
                        original: TokenNumbers(values.map { _ in -1 }), removing: TokenNumbers(values)),
                    responseMask: [UInt8](repeating: 1, count: count), sequences: Sequences(lengths: [count])
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
                .entropies(
                    original: TokenNumbers([Double](repeating: 0, count: count)),
                    removing: TokenNumbers(scores)),
                responseMask: [UInt8](repeating: 1, count: count), sequences: Sequences(lengths: [count]))
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

    @Test
    func `sequence by sequence for a reply, the same tokens are chosen and the lists are the same numbers`() {
        var random = SeededGenerator(seed: 21)
        let sequences = Sequences(lengths: [4100, 0, 1, 33, 257])
        let count = sequences.tokens
        let original = (0..<count).map { _ in Double.random(in: 0...2, using: &random) }
        let removing = original.map { max(0, $0 + Double.random(in: -0.5...0.5, using: &random)) }
        let response = (0..<count).map { _ in UInt8.random(in: 0..<5, using: &random) == 0 ? UInt8(0) : 1 }
        for scope in PerceptionDetector.Scope.allCases {
            for score in PerceptionDetector.Score.allCases {
                for ties in PerceptionDetector.Ties.allCases {
                    let detector = PerceptionDetector(
                        score: score, minimumDeltaEntropy: 0.05, topKRatio: 0.3, scope: scope, ties: ties)
                    let evidence = Evidence.entropies(
                        original: TokenNumbers(original), removing: TokenNumbers(removing))
                    let whole = detector.detect(evidence, responseMask: response, sequences: sequences)
                    let found = detector.detect(
                        evidence, responseMask: response, sequences: sequences,
                        for: DetectionWishes(deltaEntropy: true, score: true))
                    #expect(found.mask == whole.mask && found.candidates == whole.candidates)
                    #expect(found.mask.contains(1) && found.deltaEntropy == nil && found.score == nil)
                    #expect(
                        found.narrow?.deltaEntropy
                            == whole.deltaEntropy.map { FloatList($0.map { Float($0) }) })
                    #expect(found.narrow?.score == whole.score.map { FloatList($0.map { Float($0) }) })
                    let deltas = whole.deltaEntropy ?? []
                    let sums = (0..<sequences.count).map {
                        sum(of: deltas.span, where: response.span, in: sequences[$0])
                    }
                    #expect(found.narrow?.deltaSums == sums)
                    let none = detector.detect(
                        evidence, responseMask: response, sequences: sequences,
                        for: DetectionWishes(deltaEntropy: false, score: false))
                    #expect(none.mask == whole.mask && none.narrow?.deltaEntropy == nil)
                    #expect(none.narrow?.score == nil && none.narrow?.deltaSums == sums)
                }
            }
        }
    }

    @Test(arguments: [1.0, 1e-300, 1e300])
    func `however the scores lie, the k-th largest is found`(scale: Double) {
        var random = SeededGenerator(seed: 22)
        let shapes: [(Int) -> Double] = [
            { _ in Double.random(in: 0...1, using: &random) },
            { _ in exp2(Double.random(in: -60...0, using: &random)) },
            { $0 == 7 ? 1e6 : Double.random(in: 0...1, using: &random) }, { Double($0 % 3) }, { _ in 1 },
            { 1 + Double($0) * 0x1p-52 },
        ]
        for shape in shapes {
            for count in [1, 7, 8, 31, 33, 1000, 3001] {
                let scores = (0..<count).map { (shape($0) + 0x1p-40) * scale }
                for ratio in [0.01, 0.5, 0.99] {
                    let detector = PerceptionDetector(score: .absolute, topKRatio: ratio, quota: .ceil)
                    let found = detector.detect(
                        .entropies(
                            original: TokenNumbers(scores.map { _ in 0 }), removing: TokenNumbers(scores)),
                        responseMask: [UInt8](repeating: 1, count: count),
                        sequences: Sequences(lengths: [count]))
                    let threshold = scores.sorted(by: >)[detector.keep(of: count) - 1]
                    #expect(found.mask == scores.map { $0 >= threshold ? 1 : 0 })
                }
            }
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
                sequences: Sequences(lengths: [500]))
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
