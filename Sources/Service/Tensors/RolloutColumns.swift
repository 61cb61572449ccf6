import ContrastiveLoss
import JSON
import Tensor

/// Gathers a list of rollout objects into flat columns while they are read, one number at a time never.
struct RolloutColumns {
    /// One column of numbers, one or V for each token, and how many tokens each rollout gave; nil where it gave none.
    fileprivate struct Column {
        var values: [Double] = []
        var counts: [Int?] = []
    }

    /// More rollouts than any batch has: an empty one is two bytes of text and a hundred of memory.
    static let limit = 1 << 18

    private let schema: TensorSchema
    private var faults = Faults()
    fileprivate var columns: [String: Column] = [:]
    /// V of each logits column, and the first rollout that disagrees with it.
    private var vocabularies: [String: Int] = [:]
    private var ids: [JSONValue?] = []
    private var advantage: [Double?] = []
    private var reward: [Double?] = []
    private var group: [GroupName?] = []

    init(schema: TensorSchema) { self.schema = schema }

    mutating func read(_ reader: inout JSONReader, at index: Int) throws(JSONError) {
        ids.append(nil)
        advantage.append(nil)
        reward.append(nil)
        group.append(nil)
        try reader.object { (reader, name) throws(JSONError) in
            switch name {
            case "id":
                let id = try reader.value()
                switch id {
                case .string(let text) where text.unicodeScalars.count > GroupName.maximumLength:
                    faults.add(
                        .invalidValue,
                        Problem.Reason(
                            "too long", field: "rollouts[\(index)].id",
                            expected: "at most \(GroupName.maximumLength) characters"))
                case .string, .integer: ids[index] = id
                default:
                    faults.add(
                        .invalidType,
                        Problem.Reason(
                            "wrong type", field: "rollouts[\(index)].id", expected: "a string or an integer"))
                }
            case "advantage" where schema.takes("advantages"): advantage[index] = try reader.double()
            case "reward" where schema.takes("rewards"): reward[index] = try reader.double()
            case "group_id" where schema.takes("group_ids"):
                let name = try GroupName(from: &reader)
                name.check("rollouts[\(index)].group_id", &faults)
                group[index] = name
            case "advantages" where schema.takes(name), "response_mask" where schema.takes(name),
                "token_ids" where schema.takes(name):
                try readVector(&reader, name, at: index)
            case "logits" where schema.takes(name): try readMatrix(&reader, name, at: index)
            case _ where View(rawValue: name) != nil && schema.names.contains { $0.hasPrefix("\(name).") }:
                try reader.object { (reader, member) throws(JSONError) in
                    let full = "\(name).\(member)"
                    if !schema.takes(full) {
                        faults.add(
                            .unknownField, Self.stranger("rollouts[\(index)].\(full)", to: schema))
                        try reader.skip()
                    } else if member == "logits" {
                        try readMatrix(&reader, full, at: index)
                    } else {
                        try readVector(&reader, full, at: index)
                    }
                }
            default:
                faults.add(.unknownField, Self.stranger("rollouts[\(index)].\(name)", to: schema))
                try reader.skip()
            }
        }
    }

    private static func stranger(_ path: String, to schema: TensorSchema) -> Problem.Reason {
        let name = path.split(separator: ".", maxSplits: 1).last.map(String.init) ?? path
        let known =
            schema.names.filter { !["rewards", "group_ids", "cu_seqlens"].contains($0) }
            + (schema.takes("advantages") ? ["advantage"] : [])
            + (schema.takes("rewards") ? ["reward", "group_id"] : []) + ["id"]
        return .unknown("field", name, known: known, field: path)
    }

    private mutating func readVector(
        _ reader: inout JSONReader, _ name: String, at index: Int
    ) throws(JSONError) {
        var column = columns.removeValue(forKey: name) ?? Column()
        column.fill(to: index)
        let before = column.values.count
        try reader.numbers(into: &column.values, allowingBooleans: name == "response_mask")
        column.counts[index] = column.values.count - before
        columns[name] = column
    }

    private mutating func readMatrix(
        _ reader: inout JSONReader, _ name: String, at index: Int
    ) throws(JSONError) {
        var column = columns.removeValue(forKey: name) ?? Column()
        column.fill(to: index)
        var count = 0
        try reader.array { (reader, row) throws(JSONError) in
            let before = column.values.count
            try reader.numbers(into: &column.values)
            let width = column.values.count - before
            let vocabulary = vocabularies[name] ?? width
            vocabularies[name] = vocabulary
            if width != vocabulary {
                faults.add(
                    .invalidShape,
                    Problem.Reason(
                        "rows of logits differ in length", field: "rollouts[\(index)].\(name)", index: [row],
                        expected: "\(vocabulary)", found: "\(width)"))
            }
            count += 1
        }
        column.counts[index] = count
        columns[name] = column
    }
}

extension RolloutColumns.Column {
    /// Makes the counts reach rollout `index`.
    fileprivate mutating func fill(to index: Int) {
        while counts.count <= index { counts.append(nil) }
    }
}

extension RolloutColumns {
    /// Checks that the rollouts agree with one another and joins them.
    consuming func request(options: [JSONValue.Member]) throws(Problem) -> TensorRequest {
        let count = ids.count
        var lengths = [Int?](repeating: nil, count: count)
        for name in columns.keys.sorted() { columns[name]?.fill(to: count - 1) }

        // The first list of a rollout says its length; every other list must agree.
        for name in columns.keys.sorted() {
            guard let column = columns[name] else { continue }
            for index in 0..<count {
                guard let found = column.counts[index] else {
                    // A mask that only some rollouts give is all ones for the others, and advantages may come as one number.
                    if name != "response_mask", name != "advantages" {
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
        let tokens = lengths.map { $0 ?? 0 }
        checkAdvantages()
        try faults.check()

        let total = tokens.reduce(0, +)
        var tensors: [String: DenseTensor] = [:]
        for (name, column) in columns where name != "advantages" && name != "response_mask" {
            if name.hasSuffix("logits") {
                tensors[name] = DenseTensor(column.values, shape: [total, vocabularies[name] ?? 0])
            } else {
                tensors[name] = DenseTensor(column.values, shape: [total])
            }
        }
        if let column = columns["response_mask"] {
            tensors["response_mask"] = DenseTensor(column.joined(tokens) { _ in 1 }, shape: [total])
        }
        if columns["advantages"] != nil || advantage.contains(where: { $0 != nil }) {
            var column = columns["advantages"] ?? Column()
            column.fill(to: count - 1)
            let advantage = advantage
            tensors["advantages"] = DenseTensor(column.joined(tokens) { advantage[$0] ?? 0 }, shape: [total])
        }
        if reward.contains(where: { $0 != nil }) {
            tensors["rewards"] = DenseTensor(reward.map { $0 ?? 0 }, shape: [count])
        }
        let groups = group.compactMap { $0 }
        return TensorRequest(
            form: .rollouts(ids: ids, lengths: tokens), tensors: tensors,
            groupIDs: groups.isEmpty ? nil : GroupName.numbered(groups), options: options)
    }

    /// A rollout says its advantage in at most one way, and either every rollout says one or none does.
    private mutating func checkAdvantages() {
        let vectors = columns["advantages"]?.counts
        let anyReward = reward.contains { $0 != nil } || group.contains { $0 != nil }
        let anyAdvantage = advantage.contains { $0 != nil } || vectors != nil
        for index in ids.indices {
            let vector = vectors?[index] != nil
            let ways = (advantage[index] != nil ? 1 : 0) + (vector ? 1 : 0) + (reward[index] != nil ? 1 : 0)
            if ways > 1 {
                faults.add(
                    .conflictingFields,
                    Problem.Reason(
                        "at most one of advantage, advantages and reward may be given",
                        field: "rollouts[\(index)]"))
            }
            if anyReward, reward[index] == nil {
                faults.add(
                    .missingField,
                    Problem.Reason("rewards are for all rollouts or none", field: "rollouts[\(index)].reward")
                )
            }
            if anyReward, group[index] == nil {
                faults.add(
                    .missingField,
                    Problem.Reason("a reward needs its group", field: "rollouts[\(index)].group_id"))
            }
            if anyAdvantage, !anyReward, ways == 0 {
                faults.add(
                    .missingField,
                    Problem.Reason(
                        "advantages are for all rollouts or none", field: "rollouts[\(index)].advantage"))
            }
        }
    }
}

extension RolloutColumns.Column {
    /// The column with `fill(rollout)` for the tokens of rollouts that gave none.
    fileprivate func joined(_ lengths: [Int], _ fill: (Int) -> Double) -> [Double] {
        var joined: [Double] = []
        joined.reserveCapacity(lengths.reduce(0, +))
        var position = 0
        for (index, length) in lengths.enumerated() {
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
