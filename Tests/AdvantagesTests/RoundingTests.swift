import Advantages
import TestMaterial
import Testing

@Suite("Advantages where rewards round")
struct RoundingTests {
    @Test(
        "The middle of 0.2, 0.1 and 0 is at their mean in every order",
        arguments: GroupAdvantage.allCases,
        [[0.2, 0.1, 0], [0.2, 0, 0.1], [0.1, 0.2, 0], [0.1, 0, 0.2], [0, 0.1, 0.2], [0, 0.2, 0.1]])
    func middle(_ method: GroupAdvantage, _ rewards: [Double]) {
        let found = method.advantages(rewards: rewards, groups: [0, 0, 0])
        for (reward, value) in zip(rewards, found.values) {
            if reward == 0.1 { #expect(value == 0) }
            if reward == 0.2 { #expect(value > 0.09) }
            if reward == 0 { #expect(value < -0.09) }
        }
        #expect(found.withoutSpread == 0)
    }

    @Test("Rewards that differ by their own rounding have no spread", arguments: GroupAdvantage.allCases)
    func residue(_ method: GroupAdvantage) {
        let sum = 0.1 + 0.2
        #expect(sum != 0.3)
        for rewards in [[sum, 0.3, 0.3, 0.3], [0.3, 0.3, 0.3, sum], [-sum, -0.3, -0.3, -0.3]] {
            for epsilon in [0, 1e-6] {
                let found = method.advantages(rewards: rewards, groups: [4, 4, 4, 4], epsilon: epsilon)
                #expect(found.says([0, 0, 0, 0], groups: 1, withoutSpread: 1))
            }
        }
    }

    @Test("A deviation of 4 units in the last place is nothing, one of 6 is something")
    func threshold() {
        func values(_ units: Double) -> GroupedAdvantages {
            // Means exactly 1: `units` to both sides, in the units of the larger.
            GroupAdvantage.drGRPO.advantages(
                rewards: [1 + units * 1.0.ulp, 1 - units * 1.0.ulp], groups: [0, 0])
        }
        #expect(values(4).says([0, 0], groups: 1, withoutSpread: 1))
        #expect(values(6).values == [6 * 1.0.ulp, -6 * 1.0.ulp] && values(6).withoutSpread == 0)
    }

    @Test(
        "Rewards whose squares overflow or vanish are told apart",
        arguments: [1e200, 1e-200, 1e308, 0x1p-1030])
    func large(_ size: Double) {
        let rewards = [size, 0, 0, -size]
        let found = GroupAdvantage.grpo.advantages(rewards: rewards, groups: [0, 0, 0, 0], epsilon: 0)
        // Sample standard deviation of 1, 0, 0, −1.
        let expected = 1.5.squareRoot()
        #expect(found.withoutSpread == 0 && found.values[1] == 0 && found.values[2] == 0)
        #expect(abs(found.values[0] - expected) < 1e-12 && found.values[3] == -found.values[0])
        let plain = GroupAdvantage.drGRPO.advantages(rewards: rewards, groups: [0, 0, 0, 0])
        #expect(plain.values == rewards)
    }

    @Test("With an ε of 0 a group that spreads has a spread of 1")
    func noEpsilon() {
        let found = GroupAdvantage.grpo.advantages(
            rewards: [3, 1, 7, 7], groups: [0, 0, 1, 1], epsilon: 0)
        #expect(abs(found.values[0] - 0.5.squareRoot()) < 1e-15 && found.values[1] == -found.values[0])
        #expect(found.values[2...] == [0, 0] && found.withoutSpread == 1 && found.groups == 2)
    }

    @Test("The order of a group changes nothing", arguments: GroupAdvantage.allCases)
    func order(_ method: GroupAdvantage) {
        var random = SeededGenerator(seed: 4)
        let rewards = (0..<9).map { _ in Double.random(in: -1...1, using: &random) }
        let groups = [Int](repeating: 0, count: 9)
        // Powers of two apart, so that a plain sum would lose digits in some orders.
        let scaled = zip(rewards, [1, 0x1p40, 0x1p-30, -0x1p40, 3, 5, 0x1p20, -0x1p20, 7]).map(*)
        let found = method.advantages(rewards: scaled, groups: groups).values
        for _ in 0..<50 {
            let order = (0..<9).shuffled(using: &random)
            let shuffled = method.advantages(rewards: order.map { scaled[$0] }, groups: groups).values
            for (place, index) in order.enumerated() {
                #expect(abs(shuffled[place] - found[index]) <= 4 * found[index].ulp)
            }
        }
    }
}
