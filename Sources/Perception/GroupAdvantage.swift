/// Advantages of rewarded responses relative to the others of their group (the same prompt).
package enum GroupAdvantage: String, Sendable, CaseIterable {
    /// (r − mean) / (std + ε), sample standard deviation; arXiv 2402.03300. A group of one has advantage 0.
    case grpo
    /// r − mean; arXiv 2503.20783.
    case drGRPO = "dr_grpo"
    /// r − mean of the others; arXiv 2402.14740. A group of one has nothing to compare with: advantage 0.
    case rloo

    /// - Parameters: rewards [B]; groups [B], equal numbers meaning the same prompt; ε added to the standard deviation.
    /// - Complexity: O(B)
    package func advantages(rewards: [Double], groups: [Int], epsilon: Double = 1e-6) -> [Double] {
        precondition(rewards.count == groups.count)
        let members = Dictionary(grouping: rewards.indices) { groups[$0] }
        var advantages = [Double](repeating: 0, count: rewards.count)
        for indices in members.values where indices.count > 1 {
            let count = Double(indices.count)
            // Relative to the first reward, so that equal rewards have exactly their own mean: a rounding residue above
            // 0 would open the gate for a group that learnt nothing.
            let first = rewards[indices[0]]
            let mean = first + indices.reduce(0) { $0 + (rewards[$1] - first) } / count
            switch self {
            case .grpo:
                let squares = indices.reduce(0) { $0 + (rewards[$1] - mean) * (rewards[$1] - mean) }
                let deviation = (squares / (count - 1)).squareRoot()
                for index in indices { advantages[index] = (rewards[index] - mean) / (deviation + epsilon) }
            case .drGRPO:
                for index in indices { advantages[index] = rewards[index] - mean }
            case .rloo:
                // r − (sum − r)/(n − 1) = n/(n − 1) · (r − mean)
                for index in indices { advantages[index] = count / (count - 1) * (rewards[index] - mean) }
            }
        }
        return advantages
    }
}
