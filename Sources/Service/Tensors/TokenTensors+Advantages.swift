import Advantages
import Batches
import Perception
import Tensor

/// The advantages and rewards of a batch.
struct Merits {
    /// One for each token; empty while a part of them is still to come, nil if none are given.
    var advantages: TokenNumbers?
    /// One for each token: the reward of its response.
    var rewards: TokenNumbers?
    /// The advantages of rewards in groups, if they were computed from these.
    var groups: GroupedAdvantages?
}

extension TokenTensors {
    /// Reads `advantages` ([B], [B,T] or packed [N]), or computes them from `rewards` with `group_ids`. The gate that
    /// looks at rewards accepts them without groups.
    /// - Parameters:
    ///   - needsAdvantages: the reason that advantages are needed; nil if they are not.
    mutating func merits(_ gate: Gate.Method, needsAdvantages: String?) -> Merits {
        var merits = Merits()
        let hasGroups = request.groupIDs != nil
        let gatesRewards = gate == .reward
        if has(.advantages), hasGroups || (has(.rewards) && !gatesRewards) {
            faults.add(
                .conflictingFields,
                Problem.Reason(
                    "give either advantages or rewards with group_ids, not both",
                    field: request.place(of: .advantages)))
            return merits
        }
        if gatesRewards {
            if has(.rewards) {
                merits.rewards = rewardsOfTokens()
            } else if !isEmpty {
                addMissing(.rewards, "the gate reward needs them")
            } else {
                merits.rewards = []
            }
        }
        if has(.advantages) {
            merits.advantages = advantages()
        } else if hasGroups || (has(.rewards) && !gatesRewards) {
            if has(.rewards), hasGroups, layout.isProvisional || isAwaited(.rewards) || isAwaited(.groupIDs) {
                merits.advantages = []
            } else if let (rewards, groups) = checkedRewards(request, count: layout.sequences.count, &faults)
            {
                let grouped = GroupAdvantage.grpo.advantages(rewards: rewards, groups: groups)
                merits.groups = grouped
                merits.advantages = spread(grouped.values, .rewards)
            }
        } else if let needsAdvantages {
            if isEmpty { merits.advantages = [] }
            addMissing(.advantages, needsAdvantages)
        } else if isEmpty {
            merits.advantages = []
        }
        return merits
    }

    private mutating func advantages() -> TokenNumbers? {
        let spec = TensorSpec.advantages
        guard let tensor = request.tensor(spec, &faults) else { return nil }
        // Until cu_seqlens says how many sequences there are, it is unknown whether there is one number for each.
        if layout.isProvisional { return [] }
        // Numbers of rollouts were already spread over their tokens. Elsewhere, a list of B has one number for each
        // sequence.
        if case .rollouts = layout.kind { return numbers(spec) }
        guard tensor.shape == [layout.sequences.count] else {
            return fitsTokens(tensor) ? numbers(spec) : nil
        }
        if tensor.isOutline { return [] }
        let values = tensor.doubles()
        guard let spread = spread(values, spec) else { return nil }
        // This matters if there are as many sequences as tokens.
        let isAmbiguous =
            tensor.shape == layout.shape
            && spread.indices.contains { responseMask[$0] == 1 && spread[$0] != values[$0] }
        if isAmbiguous {
            faults.add(
                .invalidShape,
                Problem.Reason(
                    "ambiguous: there are as many sequences as tokens; send a padded batch",
                    field: spec.name, found: "\(tensor.shape)"))
        }
        return spread
    }

    private mutating func fitsTokens(_ tensor: DenseTensor) -> Bool {
        if tensor.shape == layout.shape || (tensor.count == 0 && isEmpty && tensor.isNumbers) { return true }
        let sequences = "[\(layout.sequences.count)]"
        addMisfit(
            tensor, .advantages, expected: "\(layout.shape), or \(sequences) for one advantage a sequence")
        return false
    }

    /// Returns the reward of each token; empty while the rewards are still to come.
    private mutating func rewardsOfTokens() -> TokenNumbers? {
        if layout.isProvisional || isAwaited(.rewards) { return [] }
        guard let rewards = checkedRewards(request, count: layout.sequences.count, &faults) as [Double]?
        else {
            return nil
        }
        return spread(rewards, .rewards)
    }

    /// Spreads one number for each sequence over its tokens. The number of a sequence without response tokens is never
    /// read.
    private mutating func spread(_ values: [Double], _ spec: TensorSpec) -> TokenNumbers? {
        var settled = values
        for (sequence, value) in values.enumerated() where !value.isFinite {
            guard !layout.sequences[sequence].contains(where: { responseMask[$0] == 1 }) else {
                faults.add(
                    .nonFiniteValue,
                    Problem.Reason(
                        "not finite", field: spec.name, index: [sequence], expected: "a finite number",
                        found: "\(value)"))
                return nil
            }
            settled[sequence] = 0
        }
        return TokenNumbers(sequences: settled, layout.sequences)
    }
}

/// Returns `rewards` and `group_ids` of a request, [count] each, all finite.
func checkedRewards(
    _ request: TensorRequest, count: Int?, _ faults: inout Faults
) -> (rewards: [Double], groups: [Int])? {
    guard request.tensors[TensorSpec.rewards.name] != nil else {
        faults.add(.missingField, Problem.Reason("missing", field: request.place(of: .rewards)))
        return nil
    }
    guard let groups = request.groupIDs else {
        faults.add(
            .missingField,
            Problem.Reason("each reward needs a group", field: request.place(of: .groupIDs)))
        return nil
    }
    guard let rewards: [Double] = checkedRewards(request, count: count, &faults) else { return nil }
    guard groups.count == rewards.count else {
        faults.add(
            .invalidShape,
            Problem.Reason(
                "wrong shape", field: TensorSpec.groupIDs.name, expected: "[\(rewards.count)]",
                found: "[\(groups.count)]"))
        return nil
    }
    return (rewards, groups)
}

/// Returns `rewards` of a request, [count], all finite.
func checkedRewards(_ request: TensorRequest, count: Int?, _ faults: inout Faults) -> [Double]? {
    let spec = TensorSpec.rewards
    guard let tensor = request.tensor(spec, &faults) else { return nil }
    let count = count ?? tensor.count
    guard tensor.shape == [count] else {
        faults.add(
            .invalidShape,
            Problem.Reason("wrong shape", field: spec.name, expected: "[\(count)]", found: "\(tensor.shape)"))
        return nil
    }
    let rewards = tensor.doubles()
    for index in rewards.indices where !rewards[index].isFinite {
        faults.add(
            .nonFiniteValue,
            Problem.Reason(
                "not finite", field: spec.name, index: [index], expected: "a finite number",
                found: "\(rewards[index])"))
        return nil
    }
    return rewards
}
