import Perception
import TestMaterial
import Testing

@Suite struct PerceptionDetectorTests {
    let original = [0.5, 1, 0.2, 0.05, 2, 0, 0.3, 0.8]
    let removing = [1.5, 0.9, 0.2, 0.1, 2.5, 0.4, 0.6, 1.6]

    func detect(_ detector: PerceptionDetector, mask: [UInt8]? = nil) -> Detection {
        let mask = mask ?? [UInt8](repeating: 1, count: original.count)
        return detector.detect(
            originalEntropy: original, removingEntropy: removing, responseMask: mask,
            rows: Rows(lengths: [original.count]))
    }

    @Test func `relative scores are the golden ones`() {
        let golden = [0.66666622, 0, 0, 0.49999500, 0.19999992, 0.99999750, 0.49999917, 0.49999969]
        for (score, expected) in zip(detect(PerceptionDetector()).score, golden) {
            #expect(abs(score - expected) < 6e-9)
        }
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
            originalEntropy: [1, 1, 1, 1, 1], removingEntropy: [1, 3, 2, 2, 2],
            responseMask: [1, 1, 1, 1, 1], rows: Rows(lengths: [5])
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
            originalEntropy: [0, 0, 0], removingEntropy: [1, 50, 2], responseMask: [1, 0, 1],
            rows: Rows(lengths: [3]))
        #expect(found.mask == [1, 0, 1])
        #expect(found.deltaEntropy == [1, 0, 2])
    }

    @Test func `the k-th largest agrees with sorting`() {
        var generator = SeededGenerator(seed: 7)
        for count in [1, 2, 3, 10, 257] {
            // Few distinct values, so that ties are the rule.
            let values = (0..<count).map { _ in Double(Int.random(in: 0..<7, using: &generator)) }
            for k in 1...count {
                let mask = PerceptionDetector(
                    score: .absolute, topKRatio: Double(k) / Double(count), quota: .ceil, ties: .all
                ).detect(
                    originalEntropy: values.map { _ in -1 }, removingEntropy: values,
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
                originalEntropy: [Double](repeating: 0, count: count), removingEntropy: scores,
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
}

@Suite struct AdvantageGateTests {
    @Test func `the gate is strict and keeps to the response`() {
        let gate = AdvantageGate()
        #expect(gate.open(advantages: [0, 1e-300, -1, 2], responseMask: [1, 1, 1, 0]) == [0, 1, 0, 0])
        #expect(AdvantageGate(method: .none).open(advantages: nil, responseMask: [1, 0]) == [1, 0])
        #expect(AdvantageGate(threshold: 0.5).open(advantages: [0.5, 0.6], responseMask: [1, 1]) == [0, 1])
    }
}

@Suite struct GroupAdvantageTests {
    @Test func `a group is compared with itself`() {
        let rewards = [1.0, 0, 1, 5]
        let groups = [7, 7, 7, 9]
        let grpo = GroupAdvantage.grpo.advantages(rewards: rewards, groups: groups)
        let deviation = (1.0 / 3).squareRoot()
        #expect(abs(grpo[0] - (1.0 / 3) / (deviation + 1e-6)) < 1e-12)
        #expect(abs(grpo[1] + (2.0 / 3) / (deviation + 1e-6)) < 1e-12)
        #expect(grpo[3] == 0)
        let rloo = GroupAdvantage.rloo.advantages(rewards: rewards, groups: groups)
        #expect(abs(rloo[0] - 0.5) < 1e-12 && abs(rloo[1] + 1) < 1e-12)
        let plain = GroupAdvantage.drGRPO.advantages(rewards: rewards, groups: groups)
        #expect(abs(plain[1] + 2.0 / 3) < 1e-12)
    }

    @Test func `equal rewards give exactly zero, so that the gate stays shut`() {
        for estimator in GroupAdvantage.allCases {
            #expect(estimator.advantages(rewards: [0.1, 0.1, 0.1], groups: [1, 1, 1]) == [0, 0, 0])
        }
    }
}

@Suite struct RowsTests {
    @Test func `a token finds its row among empty ones`() {
        let rows = Rows(lengths: [0, 2, 0, 0, 3, 0])
        #expect((0..<5).map(rows.row(of:)) == [1, 1, 4, 4, 4])
        #expect(rows.longest == 3 && rows.tokens == 5 && rows.count == 6)
    }
}
