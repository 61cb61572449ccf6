import Batches
import ContrastiveLoss
import Testing

@Suite("Scales of advantages")
struct AdvantageScalingTests {
    /// Means 1, 4, none, 2.5.
    private let sequences = Sequences(lengths: [2, 3, 2, 1, 0])
    private let dependency = [0.5, 1.5, 4, .nan, 4, .nan, .nan, 2.5]
    private let mask: [UInt8] = [1, 1, 1, 0, 1, 0, 0, 1]

    private func scales(_ scaling: AdvantageScaling) -> AdvantageScaling.Scales {
        scaling.scales(dependency: dependency, responseMask: mask, sequences: sequences)
    }

    @Test("They follow the formula; responses without tokens have 1")
    func formula() {
        let found = scales(AdvantageScaling(floor: 0.9))
        #expect(says(found.range, 1, 4, mean: 0.5))
        let step = 0.1 / (0.5 + 1e-8)
        for (value, expected) in zip(found.values, [0.9, 0.9 + step, 1, 0.9 + 0.5 * step, 1]) {
            #expect(abs(value - expected) < 1e-15)
        }
        let mean = (found.values[0] + found.values[1] + found.values[3]) / 3
        #expect(abs(mean - 1) < 1e-8, "the mean over responses is 1")
    }

    @Test("Numbers that are given replace the request's own, and cut what lies beyond")
    func given() {
        let narrow = scales(AdvantageScaling(floor: 0.5, minimum: 2, maximum: 3))
        // u = 0, 1, ½; what was measured is told all the same.
        #expect(says(narrow.range, 1, 4, mean: 0.5))
        #expect(narrow.values[0] == 0.5 && abs(narrow.values[1] - 1.5) < 1e-7)
        let mean = scales(AdvantageScaling(floor: 0.5, mean: 0.25))
        #expect(mean.range?.mean == 0.5 && abs(mean.values[1] - 2.5) < 1e-6)
        let half = scales(AdvantageScaling(floor: 0, maximum: 7))
        #expect(abs(half.values[3] - 0.25 / (0.25 + 1e-8)) < 1e-15)
    }

    @Test("A spread that no Double holds is one all the same")
    func widest() {
        let largest = Double.greatestFiniteMagnitude
        let found = AdvantageScaling(floor: 0).scales(
            dependency: [-largest, largest, 0], responseMask: [1, 1, 1],
            sequences: Sequences(lengths: [1, 1, 1]))
        #expect(says(found.range, -largest, largest, mean: 0.5))
        for (value, expected) in zip(found.values, [0.0, 2, 1]) { #expect(abs(value - expected) < 1e-7) }
    }

    @Test("Where nothing spreads all scales are 1")
    func flat() {
        for scaling in [
            AdvantageScaling(minimum: 2, maximum: 2 + 0x1p-20), AdvantageScaling(minimum: 5, maximum: 4),
        ] {
            #expect(scales(scaling).values == [1, 1, 1, 1, 1])
        }
        let alone = AdvantageScaling().scales(
            dependency: [3, 5], responseMask: [1, 1], sequences: Sequences(lengths: [2]))
        #expect(alone.values == [1])
        #expect(alone.range?.minimum == 4 && alone.range?.maximum == 4 && alone.range?.mean == nil)
    }

    @Test("Of a request without response tokens nothing was measured")
    func nothing() {
        let found = AdvantageScaling().scales(
            dependency: [.nan, .nan], responseMask: [0, 0], sequences: Sequences(lengths: [1, 1]))
        #expect(found.values == [1, 1] && found.range == nil)
        let empty = AdvantageScaling().scales(
            dependency: [], responseMask: [], sequences: Sequences(lengths: []))
        #expect(empty.values.isEmpty && empty.range == nil)
    }

    private func says(
        _ range: AdvantageScaling.Range?, _ minimum: Double, _ maximum: Double, mean: Double
    ) -> Bool {
        range?.minimum == minimum && range?.maximum == maximum && range?.mean == mean
    }
}
