import Perception
import Tensor

extension TokenTensors {
    /// One advantage for each token, from `advantages` ([B], [B,T] or packed [N]) or from `rewards` with `group_ids`.
    /// Empty while a part of them is still to come.
    /// - Parameter required: whether their absence is a fault, because a gate waits for them.
    mutating func advantages(required: Bool) -> [Double]? {
        let rows = layout.rows
        if has("advantages"), has("rewards") || request.groupIDs != nil {
            faults.add(
                .conflictingFields,
                Problem.Reason("either advantages or rewards with group_ids", field: "advantages"))
            return nil
        }
        if let tensor = request.tensors["advantages"] {
            guard tensor.elementType.isFloat else {
                faults.add(
                    .invalidElementType,
                    Problem.Reason(
                        "wrong element type", field: "advantages", expected: "F32, F16, BF16 or F64",
                        found: tensor.elementType.rawValue))
                return nil
            }
            // Whether one for each sequence is meant can't be seen before cu_seqlens says how many there are.
            if layout.isProvisional { return [] }
            if tensor.isOutline {
                if tensor.shape != [rows.count] { _ = fits(tensor, "advantages") }
                return []
            }
            // Rollouts were already spread over their tokens; elsewhere a list of B is one number for each sequence.
            if case .rollouts = layout.kind { return numbers("advantages") }
            return tensor.shape == [rows.count]
                ? spread(tensor.doubles(), "advantages") : numbers("advantages")
        }
        guard has("rewards") || request.groupIDs != nil else {
            if required {
                addMissing(
                    "advantages",
                    "the gate positive_advantage needs advantages; ask for the gate none to go without")
            }
            return isEmpty ? [] : nil
        }
        if has("rewards"), request.groupIDs != nil,
            layout.isProvisional || isAwaited("rewards") || isAwaited("group_ids")
        {
            return []
        }
        guard let (rewards, groups) = checkedRewards(request, count: rows.count, &faults) else { return nil }
        return spread(GroupAdvantage.grpo.advantages(rewards: rewards, groups: groups), "rewards")
    }

    /// One number for each sequence, given to its tokens. That of a sequence without response tokens is never read.
    private mutating func spread(_ values: [Double], _ name: String) -> [Double]? {
        var tokens = [Double](repeating: 0, count: layout.rows.tokens)
        for (row, value) in values.enumerated() {
            guard layout.rows[row].contains(where: { responseMask[$0] == 1 }) else { continue }
            guard value.isFinite else {
                faults.add(
                    .nonFiniteValue,
                    Problem.Reason(
                        "not finite", field: name, index: [row], expected: "a finite number",
                        found: "\(value)"))
                return nil
            }
            for token in layout.rows[row] { tokens[token] = value }
        }
        return tokens
    }
}

/// `rewards` and `group_ids` of a request, [count] each, all finite.
func checkedRewards(
    _ request: TensorRequest, count: Int?, _ faults: inout Faults
) -> (rewards: [Double], groups: [Int])? {
    guard let tensor = request.tensors["rewards"] else {
        faults.add(.missingField, Problem.Reason("missing", field: "rewards"))
        return nil
    }
    guard let groups = request.groupIDs else {
        faults.add(.missingField, Problem.Reason("rewards need the group of each", field: "group_ids"))
        return nil
    }
    guard tensor.elementType.isFloat else {
        faults.add(
            .invalidElementType,
            Problem.Reason(
                "wrong element type", field: "rewards", expected: "F32, F16, BF16 or F64",
                found: tensor.elementType.rawValue))
        return nil
    }
    let count = count ?? tensor.count
    guard tensor.shape == [count] else {
        faults.add(
            .invalidShape,
            Problem.Reason("wrong shape", field: "rewards", expected: "[\(count)]", found: "\(tensor.shape)"))
        return nil
    }
    guard groups.count == count else {
        faults.add(
            .invalidShape,
            Problem.Reason(
                "wrong shape", field: "group_ids", expected: "[\(count)]", found: "[\(groups.count)]"))
        return nil
    }
    let rewards = tensor.doubles()
    for index in rewards.indices where !rewards[index].isFinite {
        faults.add(
            .nonFiniteValue,
            Problem.Reason(
                "not finite", field: "rewards", index: [index], expected: "a finite number",
                found: "\(rewards[index])"))
        return nil
    }
    return (rewards, groups)
}
