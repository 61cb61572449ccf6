/// Advantages of rewarded responses relative to the others of their group (the same prompt).
package enum GroupAdvantage: String, Sendable, CaseIterable {
    /// (r − mean) / (std + ε), sample standard deviation; arXiv 2402.03300. A group of one has advantage 0.
    case grpo
    /// r − mean; arXiv 2503.20783.
    case drGRPO = "dr_grpo"
    /// r − mean of the others; arXiv 2402.14740. A group of one has nothing to compare with: advantage 0.
    case rloo

    /// - Parameters:
    ///   - rewards: [B], finite.
    ///   - groups: [B], equal numbers meaning the same prompt.
    ///   - epsilon: ε ≥ 0. A group without spread has advantages 0 whatever it is.
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

/// The advantages of a batch, and how many of its groups taught something.
package struct GroupedAdvantages: Sendable, Equatable {
    /// [B]
    package var values: [Double]
    package var groups: Int
    /// Groups of one member, or whose rewards are equal: all their advantages are 0.
    package var withoutSpread: Int
}
