import Advantages
import TestMaterial
import Testing

@Suite("Advantages of groups")
struct GroupAdvantageTests {
    @Test func `a group is compared with itself`() {
        let rewards = [1.0, 0, 1, 5]
        let groups = [7, 7, 7, 9]
        let grpo = GroupAdvantage.grpo.advantages(rewards: rewards, groups: groups).values
        let deviation = (1.0 / 3).squareRoot()
        #expect(abs(grpo[0] - (1.0 / 3) / (deviation + 1e-6)) < 1e-12)
        #expect(abs(grpo[1] + (2.0 / 3) / (deviation + 1e-6)) < 1e-12)
        #expect(grpo[3] == 0)
        let rloo = GroupAdvantage.rloo.advantages(rewards: rewards, groups: groups).values
        #expect(abs(rloo[0] - 0.5) < 1e-12 && abs(rloo[1] + 1) < 1e-12)
        let plain = GroupAdvantage.drGRPO.advantages(rewards: rewards, groups: groups).values
        #expect(abs(plain[1] + 2.0 / 3) < 1e-12)
    }

    @Test("All agree with their formulas over groups of random sizes", arguments: GroupAdvantage.allCases)
    func formulas(_ method: GroupAdvantage) {
        var random = SeededGenerator(seed: 21)
        let groups = (0..<200).map { _ in Int.random(in: -3...40, using: &random) }
        let rewards = groups.map { Double($0) + Double.random(in: -2...2, using: &random) }
        let found = method.advantages(rewards: rewards, groups: groups, epsilon: 0.25)
        #expect(found.groups == Set(groups).count)
        for index in groups.indices {
            let members = groups.indices.filter { groups[$0] == groups[index] }.map { rewards[$0] }
            let twin = advantage(method, of: rewards[index], among: members, epsilon: 0.25)
            #expect(abs(found.values[index] - twin) <= 1e-13 * max(1, abs(twin)), "\(index)")
        }
        #expect(found.withoutSpread == Set(groups).filter { id in groups.count { $0 == id } == 1 }.count)
    }

    @Test("Equal rewards give exactly zero, so that the gate stays shut", arguments: GroupAdvantage.allCases)
    func equal(_ method: GroupAdvantage) {
        for epsilon in [0, 1e-6, 1] {
            for reward in [0.1, 0, -3.7, 0x1p-1070, 1.7e308] {
                let found = method.advantages(
                    rewards: [reward, reward, reward], groups: [1, 1, 1], epsilon: epsilon)
                #expect(found.says([0, 0, 0], groups: 1, withoutSpread: 1))
            }
        }
    }

    @Test("A group of one has advantage 0 and no spread", arguments: GroupAdvantage.allCases, [0, 1e-6])
    func single(_ method: GroupAdvantage, _ epsilon: Double) {
        let found = method.advantages(rewards: [5, -1e300, 0], groups: [2, 0, 1], epsilon: epsilon)
        #expect(found.says([0, 0, 0], groups: 3, withoutSpread: 3))
    }

    @Test("No rewards are no groups", arguments: GroupAdvantage.allCases)
    func none(_ method: GroupAdvantage) {
        #expect(
            method.advantages(rewards: [], groups: []).says([], groups: 0, withoutSpread: 0))
    }

    private func advantage(
        _ method: GroupAdvantage, of reward: Double, among members: [Double], epsilon: Double
    ) -> Double {
        guard members.count > 1 else { return 0 }
        let count = Double(members.count)
        let sum = members.reduce(0, +)
        switch method {
        case .grpo:
            let squares = members.reduce(0) { $0 + ($1 - sum / count) * ($1 - sum / count) }
            return (reward - sum / count) / ((squares / (count - 1)).squareRoot() + epsilon)
        case .drGRPO: return reward - sum / count
        case .rloo: return reward - (sum - reward) / (count - 1)
        }
    }
}
