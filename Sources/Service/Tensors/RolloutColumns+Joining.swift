import Batches
import ContrastiveLoss
import EngineReplies
import JSON
import Tensor

extension RolloutColumns {
    /// Checks that the rollouts agree with one another and joins them.
    consuming func request(options: [JSONValue.Member]) throws(Problem) -> TensorRequest {
        let count = ids.count
        var lengths = [Int?](repeating: nil, count: count)
        for name in columns.keys.sorted() { columns[name]?.fill(to: count - 1) }

        // The first list of a rollout determines its length. Every other list must have the same.
        for name in columns.keys.sorted() {
            guard let column = columns[name] else { continue }
            for index in 0..<count {
                guard let found = column.counts[index] else {
                    // A mask that only some rollouts give is all ones for the others, and advantages may be given as
                    // one number.
                    if name != "response_mask", name != "advantages", !maySkip(name, index) {
                        faults.add(
                            .missingField,
                            Problem.Reason(
                                "missing here, given in other rollouts", field: "rollouts[\(index)].\(name)"))
                    }
                    continue
                }
                if let length = lengths[index], length != found {
                    faults.add(
                        .invalidShape,
                        Problem.Reason(
                            "the lists of one rollout differ in length", field: "rollouts[\(index)].\(name)",
                            expected: "\(length)", found: "\(found)"))
                }
                lengths[index] = lengths[index] ?? found
            }
        }
        checkReplies(&lengths)
        let tokens = lengths.map { $0 ?? 0 }
        checkAdvantages()
        try faults.check()
        for name in columns.keys { fillUnviewed(name, tokens) }

        let total = tokens.reduce(0, +)
        var tensors: [String: DenseTensor] = [:]
        for (name, column) in columns where name != "advantages" && name != "response_mask" {
            let shape =
                switch schema.rolloutMember(name)?.extent {
                case .vocabulary: [total, vocabularies[name] ?? 0]
                case .ranked: [column.values.count]
                default: [total]
                }
            tensors[name] = DenseTensor(column.values, shape: shape)
        }
        if let column = columns["response_mask"] {
            tensors["response_mask"] = DenseTensor(column.joined(tokens) { _ in 1 }, shape: [total])
        }
        if columns["advantages"] != nil || advantage.contains(where: { $0 != nil }) {
            var column = columns["advantages"] ?? Column()
            column.fill(to: count - 1)
            let advantage = advantage
            tensors["advantages"] = DenseTensor(
                column.joined(tokens) { index in
                    guard let value = advantage[index] else {
                        preconditionFailure("checkAdvantages found it")
                    }
                    return value
                }, shape: [total])
        }
        if hasViews.contains(where: { $0 != nil }) {
            tensors[TensorSpec.hasViews.name] = DenseTensor(
                hasViews.map { $0 == false ? 0 : 1 }, shape: [count])
        }
        if reward.contains(where: { $0 != nil }) {
            // As checked, all rollouts have one.
            tensors["rewards"] = DenseTensor(reward.compactMap(\.self), shape: [count])
        }
        let groups = group.compactMap { $0 }
        return TensorRequest(
            form: .rollouts(ids: ids, lengths: tokens), tensors: tensors,
            groupIDs: groups.isEmpty ? nil : GroupName.numbered(groups), options: options,
            raggedOffsets: listLengths.mapValues { Sequences(lengths: $0).offsets },
            replies: replies.mapValues { $0 + [EngineReply?](repeating: nil, count: count - $0.count) },
            texts: texts.isEmpty
                ? nil
                : .rollouts(
                    texts + [TokenTexts.Response?](repeating: nil, count: count - texts.count),
                    strange: strangeTexts))
    }

    /// Returns whether a rollout may omit a tensor because it has no views.
    private func maySkip(_ name: String, _ index: Int) -> Bool {
        hasViews[index] == false && schema.rolloutMember(name)?.needsViews == true
    }

    /// Fills the columns of rollouts without views with zeros and empty lists, because a tensor covers every token of the
    /// batch. No result depends on them: `has_views` excludes these tokens from ``TokenTensors/viewedMask``, and tensors
    /// with `needsViews` are checked and read only where that mask is 1.
    private mutating func fillUnviewed(_ name: String, _ tokens: [Int]) {
        guard let column = columns[name], let spec = schema.rolloutMember(name), spec.needsViews,
            ids.indices.contains(where: { column.counts[$0] == nil })
        else { return }
        let width = spec.extent == .vocabulary ? vocabularies[name] ?? 0 : 1
        if spec.extent == .ranked {
            var given = (listLengths[name] ?? [])[...]
            listLengths[name] = ids.indices.flatMap { index in
                guard let count = column.counts[index] else {
                    return [Int](repeating: 0, count: tokens[index])
                }
                defer { given = given.dropFirst(count) }
                return Array(given.prefix(count))
            }
        } else {
            columns[name]?.values = column.joined(tokens, width: width) { _ in 0 }
        }
    }

    /// Checks that a view is an engine's reply in all rollouts or in none, and that the length of each response is
    /// known.
    private mutating func checkReplies(_ lengths: inout [Int?]) {
        for index in ids.indices {
            if let length = lengths[index], let said = responseLength[index], length != said {
                faults.add(
                    .invalidShape,
                    Problem.Reason(
                        "does not match the lists of the rollout",
                        field: "rollouts[\(index)].response_length", expected: "\(length)", found: "\(said)"))
            }
            lengths[index] = lengths[index] ?? responseLength[index]
        }
        for view in View.allCases {
            guard let given = replies[view] else { continue }
            for index in ids.indices {
                let place = "rollouts[\(index)].\(view.rawValue)"
                let isGiven = index < given.count && given[index] != nil
                if !isGiven, maySkip(TensorSpec.logProbabilities(view).name, index) {
                    continue
                } else if !isGiven {
                    faults.add(
                        .missingField,
                        Problem.Reason("missing here, given in other rollouts", field: "\(place).reply"))
                } else if lengths[index] == nil {
                    faults.add(
                        .missingField,
                        Problem.Reason(
                            "required to find the response in the reply, unless token_ids are given",
                            field: "rollouts[\(index)].response_length"))
                }
                for spec in [TensorSpec.logProbabilities(view), .best(view)]
                where isGiven && columns[spec.name]?.counts[index] != nil {
                    faults.add(
                        .conflictingFields,
                        Problem.Reason(
                            "the view's reply already contains it", field: "rollouts[\(index)].\(spec.name)"))
                }
            }
        }
    }

    /// Checks that a rollout gives its advantage in at most one way, and that all rollouts give the same members.
    private mutating func checkAdvantages() {
        let vectors = columns["advantages"]?.counts
        let anyAdvantage = advantage.contains { $0 != nil } || vectors != nil
        let anyReward = reward.contains { $0 != nil }
        let anyGroup = group.contains { $0 != nil }
        for index in ids.indices {
            let hasVector = vectors?[index] != nil
            if advantage[index] != nil, hasVector {
                faults.add(
                    .conflictingFields,
                    Problem.Reason(
                        "at most one of advantage and advantages may be given", field: "rollouts[\(index)]"))
            }
            let missing = [
                ("reward", anyReward && reward[index] == nil), ("group_id", anyGroup && group[index] == nil),
                ("advantage", anyAdvantage && advantage[index] == nil && !hasVector),
            ]
            for (name, isMissing) in missing where isMissing {
                faults.add(
                    .missingField,
                    Problem.Reason("given for all rollouts or none", field: "rollouts[\(index)].\(name)"))
            }
        }
    }
}

extension RolloutColumns.Column {
    /// Returns the column with `fill(rollout)` for the tokens of rollouts that gave none.
    fileprivate func joined(_ lengths: [Int], width: Int = 1, _ fill: (Int) -> Double) -> [Double] {
        var joined: [Double] = []
        joined.reserveCapacity(lengths.reduce(0, +) * width)
        var position = 0
        for (index, tokens) in lengths.enumerated() {
            let length = tokens * width
            if counts[index] != nil {
                joined.append(contentsOf: values[position..<position + length])
                position += length
            } else {
                joined.append(contentsOf: repeatElement(fill(index), count: length))
            }
        }
        return joined
    }
}
