import ContrastiveLoss
import EngineReplies
import JSON

/// Collects a list of rollout objects in flat columns while they are read. Numbers are read a list at a time.
struct RolloutColumns {
    /// One column of numbers, with one or V for each token, and the number of tokens that each rollout gave; nil for
    /// rollouts that gave none.
    struct Column {
        var values: [Double] = []
        var counts: [Int?] = []
    }

    /// The maximum number of rollouts, which no batch exceeds. An empty rollout takes two bytes of text and a hundred
    /// of memory.
    static let limit = 1 << 18

    let schema: TensorSchema
    var faults = Faults()
    var columns: [String: Column] = [:]
    /// V of each column of logits, as its first row has it.
    var vocabularies: [String: Int] = [:]
    var ids: [JSONValue?] = []
    var advantage: [Double?] = []
    var responseLength: [Int?] = []
    var replies: [View: [EngineReply?]] = [:]
    /// The length of each list of a ragged column.
    var listLengths: [String: [Int]] = [:]
    /// The error in an engine's reply. Reading ends there.
    private(set) var replyProblem: Problem?
    var reward: [Double?] = []
    var hasViews: [Bool?] = []
    /// The texts of the tokens, up to the last rollout that has some.
    private(set) var texts: [TokenTexts.Response?] = []
    /// The number of rollouts whose `tokens` are not a list of strings.
    private(set) var strangeTexts = 0
    var group: [GroupName?] = []

    init(schema: TensorSchema) { self.schema = schema }

    /// Reads one rollout object.
    /// - Parameter place: the position that has been reached, for errors.
    mutating func read(
        _ reader: inout JSONReader, at index: Int, place: inout BodyPlace
    ) throws(JSONError) {
        ids.append(nil)
        advantage.append(nil)
        responseLength.append(nil)
        reward.append(nil)
        hasViews.append(nil)
        group.append(nil)
        try reader.object { (reader, name) throws(JSONError) in
            place = .member(index, name)
            switch name {
            case "id": try readID(&reader, at: index)
            case "tokens" where schema.acceptsTexts:
                while texts.count < index { texts.append(nil) }
                let response = try TokenTexts.Response.ifAny(&reader)
                if response == nil { strangeTexts += 1 }
                texts.append(response)
            case "response_length" where View.allCases.contains { schema.repliedView($0.rawValue) != nil }:
                responseLength[index] = try reader.length()
            case "advantage" where schema[TensorSpec.advantages.name] != nil:
                advantage[index] = try reader.double()
            case TensorSpec.hasViews.name where schema.rolloutMember(name) != nil:
                hasViews[index] = try reader.bool()
            case "reward" where schema.rolloutMember(name) != nil: reward[index] = try reader.double()
            case "group_id" where schema.rolloutMember(name) != nil:
                let name = try GroupName(from: &reader)
                name.check("rollouts[\(index)].group_id", &faults)
                group[index] = name
            case _ where schema.isGroup(name):
                let view = schema.repliedView(name)
                try reader.object { (reader, member) throws(JSONError) in
                    place = .groupMember(index, name, member)
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
            place = .rollout(index)
        }
    }

    private mutating func readReply(
        _ reader: inout JSONReader, _ view: View, at index: Int
    ) throws(JSONError) {
        do throws(EngineReplyError) {
            let reply = try EngineReply(reading: &reader)
            // Taken out, because appending to a list that is held twice copies it.
            var replies = self.replies.removeValue(forKey: view) ?? []
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
        var lengths = listLengths.removeValue(forKey: name) ?? []
        let before = lengths.count
        try reader.array { (reader, _) throws(JSONError) in
            let start = column.values.count
            try reader.numbers(into: &column.values)
            lengths.append(column.values.count - start)
        }
        column.counts[index] = lengths.count - before
        listLengths[name] = lengths
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
                "one number for the whole sequence belongs in advantage", field: "rollouts[\(index)].\(name)",
                expected: "a list with one number for each token")
            faults.add(.invalidType, reason)
            try reader.skip()
        case .token, .sequenceOrToken:
            try readVector(&reader, name, at: index, allowingBooleans: spec.elements == .mask)
        case .views, .sequence, .offset: preconditionFailure("\(name) has no list in a rollout")
        }
    }

    /// Returns the reason for refusing a name with dots, as columns and safetensors have it.
    private func unnested(_ name: String, at index: Int) -> Problem.Reason {
        guard schema.rolloutMember(name) != nil, let dot = name.firstIndex(of: ".") else {
            return stranger(name, at: index)
        }
        let member = name[name.index(after: dot)...]
        return Problem.Reason(
            "a rollout nests this name", field: "rollouts[\(index)].\(name)",
            expected: "{\"\(name[..<dot])\": {\"\(member)\": […]}}")
    }

    private func stranger(_ name: String, at index: Int) -> Problem.Reason {
        let known = schema.rolloutNames + (schema.acceptsAdvantages ? ["advantage"] : []) + ["id"]
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
    /// Extends the counts to rollout `index`.
    mutating func fill(to index: Int) {
        while counts.count <= index { counts.append(nil) }
    }
}
