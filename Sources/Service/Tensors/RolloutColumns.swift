import Batches
import ContrastiveLoss
import EngineReplies
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
    private var responseLength: [Int?] = []
    private var replies: [View: [EngineReply?]] = [:]
    /// How long each row of a ragged column is.
    private var rowLengths: [String: [Int]] = [:]
    /// What is wrong with an engine's reply: reading ends there.
    private(set) var replyProblem: Problem?
    private var reward: [Double?] = []
    private var group: [GroupName?] = []

    init(schema: TensorSchema) { self.schema = schema }

    /// - Parameter path: where reading stands, for errors.
    mutating func read(
        _ reader: inout JSONReader, at index: Int, path: inout String
    ) throws(JSONError) {
        ids.append(nil)
        advantage.append(nil)
        responseLength.append(nil)
        reward.append(nil)
        group.append(nil)
        let rollout = "rollouts[\(index)]"
        try reader.object { (reader, name) throws(JSONError) in
            path = "\(rollout).\(name)"
            switch name {
            case "id": try readID(&reader, at: index)
            case "response_length" where View.allCases.contains { schema.repliedView($0.rawValue) != nil }:
                responseLength[index] = try reader.length()
            case "advantage" where schema[TensorSpec.advantages.name] != nil:
                advantage[index] = try reader.double()
            case "reward" where schema.rolloutMember(name) != nil: reward[index] = try reader.double()
            case "group_id" where schema.rolloutMember(name) != nil:
                let name = try GroupName(from: &reader)
                name.check("\(rollout).group_id", &faults)
                group[index] = name
            case _ where schema.isGroup(name):
                let view = schema.repliedView(name)
                try reader.object { (reader, member) throws(JSONError) in
                    path = "\(rollout).\(name).\(member)"
                    if let view, member == "reply" {
                        return try readReply(&reader, view, at: index)
                    }
                    try readTensor(&reader, "\(name).\(member)", at: index)
                }
            case _ where name.contains("."):
                let reason = unnested(name, at: index)
                faults.add(.unknownField, reason)
                try reader.skip()
            default: try readTensor(&reader, name, at: index)
            }
            path = rollout
        }
    }

    private mutating func readReply(
        _ reader: inout JSONReader, _ view: View, at index: Int
    ) throws(JSONError) {
        do throws(EngineReplyError) {
            let reply = try EngineReply(reading: &reader)
            var replies = replies[view] ?? []
            while replies.count <= index { replies.append(nil) }
            replies[index] = reply
            self.replies[view] = replies
        } catch {
            replyProblem = Problem(error, field: "rollouts[\(index)].\(view.rawValue).reply")
            throw JSONError(.unexpectedEnd, byte: error.byte ?? 0)
        }
    }

    private mutating func readRagged(
        _ reader: inout JSONReader, _ name: String, at index: Int
    ) throws(JSONError) {
        var column = columns.removeValue(forKey: name) ?? Column()
        column.fill(to: index)
        var lengths = rowLengths.removeValue(forKey: name) ?? []
        let before = lengths.count
        try reader.array { (reader, _) throws(JSONError) in
            let start = column.values.count
            try reader.numbers(into: &column.values)
            lengths.append(column.values.count - start)
        }
        column.counts[index] = lengths.count - before
        rowLengths[name] = lengths
        columns[name] = column
    }

    private mutating func readID(_ reader: inout JSONReader, at index: Int) throws(JSONError) {
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
    }

    private mutating func readTensor(
        _ reader: inout JSONReader, _ name: String, at index: Int
    ) throws(JSONError) {
        guard let spec = schema.rolloutMember(name) else {
            let reason = stranger(name, at: index)
            faults.add(.unknownField, reason)
            return try reader.skip()
        }
        switch spec.extent {
        case .vocabulary: try readMatrix(&reader, name, at: index)
        case .ranked: try readRagged(&reader, name, at: index)
        case .sequenceOrToken where try reader.nextKind() == .number:
            let reason = Problem.Reason(
                "one number for the whole sequence is called advantage", field: "rollouts[\(index)].\(name)",
                expected: "a list with one number for each token")
            faults.add(.invalidType, reason)
            try reader.skip()
        case .token, .sequenceOrToken:
            try readVector(&reader, name, at: index, allowingBooleans: spec.elements == .mask)
        case .views, .sequence, .offset: preconditionFailure("\(name) has no list in a rollout")
        }
    }

    /// A tensor's name, as columns and safetensors have it.
    private func unnested(_ name: String, at index: Int) -> Problem.Reason {
        guard schema.rolloutMember(name) != nil, let dot = name.firstIndex(of: ".") else {
            return stranger(name, at: index)
        }
        let member = name[name.index(after: dot)...]
        return Problem.Reason(
            "a rollout nests it", field: "rollouts[\(index)].\(name)",
            expected: "{\"\(name[..<dot])\": {\"\(member)\": […]}}")
    }

    private func stranger(_ name: String, at index: Int) -> Problem.Reason {
        let known = schema.rolloutNames + (schema.takesAdvantages ? ["advantage"] : []) + ["id"]
        return .unknown("field", name, known: known, field: "rollouts[\(index)].\(name)")
    }

    private mutating func readVector(
        _ reader: inout JSONReader, _ name: String, at index: Int, allowingBooleans: Bool
    ) throws(JSONError) {
        var column = columns.removeValue(forKey: name) ?? Column()
        column.fill(to: index)
        let before = column.values.count
        try reader.numbers(into: &column.values, allowingBooleans: allowingBooleans)
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
        checkReplies(&lengths)
        let tokens = lengths.map { $0 ?? 0 }
        checkAdvantages()
        try faults.check()

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
            tensors["advantages"] = DenseTensor(column.joined(tokens) { advantage[$0] ?? 0 }, shape: [total])
        }
        if reward.contains(where: { $0 != nil }) {
            tensors["rewards"] = DenseTensor(reward.map { $0 ?? 0 }, shape: [count])
        }
        let groups = group.compactMap { $0 }
        return TensorRequest(
            form: .rollouts(ids: ids, lengths: tokens), tensors: tensors,
            groupIDs: groups.isEmpty ? nil : GroupName.numbered(groups), options: options,
            raggedOffsets: rowLengths.mapValues { Rows(lengths: $0).offsets },
            replies: replies.mapValues { $0.compactMap { $0 } })
    }

    /// A view is an engine's reply in all rollouts or none, and something says how long each response is.
    private mutating func checkReplies(_ lengths: inout [Int?]) {
        for index in ids.indices {
            if let length = lengths[index], let said = responseLength[index], length != said {
                faults.add(
                    .invalidShape,
                    Problem.Reason(
                        "the lists of the rollout have another length",
                        field: "rollouts[\(index)].response_length", expected: "\(length)", found: "\(said)"))
            }
            lengths[index] = lengths[index] ?? responseLength[index]
        }
        for view in View.allCases {
            guard let given = replies[view] else { continue }
            for index in ids.indices {
                let place = "rollouts[\(index)].\(view.rawValue)"
                let isGiven = index < given.count && given[index] != nil
                if !isGiven {
                    faults.add(
                        .missingField,
                        Problem.Reason("missing here, given in other rollouts", field: "\(place).reply"))
                } else if lengths[index] == nil {
                    faults.add(
                        .missingField,
                        Problem.Reason(
                            "it says which entries of the reply are the response's; token_ids do too",
                            field: "rollouts[\(index)].response_length"))
                }
                for spec in [TensorSpec.logProbabilities(view), .best(view)]
                where isGiven && columns[spec.name]?.counts[index] != nil {
                    faults.add(
                        .conflictingFields,
                        Problem.Reason(
                            "the view's reply says it", field: "rollouts[\(index)].\(spec.name)"))
                }
            }
        }
    }

    /// A rollout says its advantage in at most one way, and what one rollout says, all say.
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
