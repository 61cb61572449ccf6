/// The advantages of rewarded responses relative to the others of their group, which answer the same prompt.
package enum GroupAdvantage: String, Sendable, CaseIterable {
    /// (r − mean) / (std + ε) with the sample standard deviation; arXiv 2402.03300. In a group of one, the advantage is
    /// 0.
    case grpo
    /// r − mean; arXiv 2503.20783.
    case drGRPO = "dr_grpo"
    /// r − mean of the others; arXiv 2402.14740. In a group of one, there is nothing to compare with, and the advantage
    /// is 0.
    case rloo

    /// - Parameters:
    ///   - rewards: [B], finite.
    ///   - groups: [B]. Equal numbers mean the same prompt.
    ///   - epsilon: ε ≥ 0. In a group without spread, advantages are 0 for every ε.
    /// - Complexity: O(B)
    package func advantages(
        rewards: [Double], groups: [Int], epsilon: Double = GroupAdvantage.standardEpsilon
    ) -> GroupedAdvantages {
        precondition(rewards.count == groups.count)
        let members = Dictionary(grouping: rewards.indices) { groups[$0] }
        var result = GroupedAdvantages(
            values: [Double](repeating: 0, count: rewards.count), groups: members.count, withoutSpread: 0)
        for indices in members.values {
            guard let deviations = RewardDeviations(indices.map { rewards[$0] }) else {
                result.withoutSpread += 1
                continue
            }
            for (index, value) in zip(indices, advantages(deviations, epsilon)) {
                result.values[index] = value
            }
        }
        return result
    }

    package static let standardEpsilon = 1e-6

    private func advantages(_ group: RewardDeviations, _ epsilon: Double) -> [Double] {
        let count = Double(group.scaled.count)
        switch self {
        case .grpo:
            let squares = group.scaled.reduce(0) { $0 + $1 * $1 }
            let spread = (squares / (count - 1)).squareRoot() + epsilon * group.scale
            return group.scaled.map { $0 / spread }
        case .drGRPO: return group.scaled.map { $0 / group.scale }
        // r − (sum − r)/(n − 1) = n/(n − 1) · (r − mean)
        case .rloo: return group.scaled.map { count / (count - 1) * $0 / group.scale }
        }
    }
}

/// The advantages of a batch, the number of its groups, and how many of them have no spread.
package struct GroupedAdvantages: Sendable, Equatable {
    /// [B]
    package var values: [Double]
    package var groups: Int
    /// Groups with one member or with equal rewards. All their advantages are 0.
    package var withoutSpread: Int
}
