import JSON
import Tensor

extension JSONReader {
    /// Reads a whole number of at least 0.
    mutating func length() throws(JSONError) -> Int {
        let byte = position
        guard case .integer(let value) = try number(), value >= 0, value <= 1 << 40 else {
            throw JSONError(.wrongKind(expected: "a whole number of at least 0"), byte: byte)
        }
        return Int(value)
    }
}

extension TensorRequest {
    /// Reads a JSON body directly into flat buffers of numbers, according to the operation's schema.
    /// - Throws: 400 `malformed-json`, `unknown-field`, `missing-field`, `invalid-type`; 422 `invalid-shape`.
    init(json bytes: [UInt8], schema: TensorSchema) throws(Problem) {
        var body = JSONBody(schema: schema)
        do throws(JSONError) {
            try body.read(bytes)
        } catch {
            if let problem = body.rollouts?.replyProblem { throw problem }
            if case .wrongKind = error.reason {
                throw Problem(
                    .invalidType, Problem.Reason("\(error)", field: body.place.text, byte: error.byte))
            }
            throw Problem(error, field: body.place.text)
        }
        try body.faults.check()
        if let rollouts = body.rollouts {
            if !body.tensors.isEmpty || body.groups != nil {
                throw Problem(
                    .conflictingFields, "a body has either rollouts or tensors, not both", field: "rollouts")
            }
            self = try rollouts.request(options: body.options)
        } else {
            self.init(
                form: .columnar, tensors: body.tensors, groupIDs: body.groups.map(GroupName.numbered),
                options: body.options)
        }
    }
}

/// The name of a group. The integer 1 and the string "1" are different names.
enum GroupName: Hashable {
    case integer(Int64)
    case string(String)

    /// The maximum length in Unicode scalars. It applies to the ids of rollouts, too.
    static let maximumLength = 256

    func check(_ field: @autoclosure () -> String, _ faults: inout Faults) {
        guard case .string(let text) = self, text.unicodeScalars.count > GroupName.maximumLength else {
            return
        }
        faults.add(
            .invalidValue,
            Problem.Reason(
                "too long", field: field(), expected: "at most \(GroupName.maximumLength) characters"))
    }

    /// Compares scalars, as trainers' languages do. Swift's own comparison would join groups whose names differ only in
    /// the composition of their characters.
    static func == (left: GroupName, right: GroupName) -> Bool {
        switch (left, right) {
        case (.integer(let left), .integer(let right)): left == right
        case (.string(let left), .string(let right)): left.utf8.elementsEqual(right.utf8)
        case (.integer, .string), (.string, .integer): false
        }
    }

    func hash(into hasher: inout Hasher) {
        switch self {
        case .integer(let value): hasher.combine(value)
        case .string(let text): for byte in text.utf8 { hasher.combine(byte) }
        }
    }

    static func numbered(_ names: [GroupName]) -> [Int] {
        var numbers: [GroupName: Int] = [:]
        return names.map { name in
            if let number = numbers[name] { return number }
            let next = numbers.count
            numbers[name] = next
            return next
        }
    }

    init(from reader: inout JSONReader) throws(JSONError) {
        switch try reader.nextKind() {
        case .string: self = .string(try reader.string())
        case .number:
            let byte = reader.position
            guard case .integer(let value) = try reader.number() else {
                throw JSONError(.wrongKind(expected: "an integer or a string"), byte: byte)
            }
            self = .integer(value)
        case .null, .bool, .array, .object:
            throw JSONError(.wrongKind(expected: "an integer or a string"), byte: reader.position)
        }
    }
}

/// A JSON body while it is read.
private struct JSONBody {
    let schema: TensorSchema
    var tensors: [String: DenseTensor] = [:]
    var groups: [GroupName]?
    var options: [JSONValue.Member] = []
    var rollouts: RolloutColumns?
    var faults = Faults()
    /// The position that has been reached, for errors.
    var place = BodyPlace.body

    init(schema: TensorSchema) { self.schema = schema }

    mutating func read(_ bytes: [UInt8]) throws(JSONError) {
        // Deeper than any valid body: rollouts → rollout → view → logits → row.
        var reader = JSONReader(bytes, depthLimit: 16)
        try reader.object { (reader, name) throws(JSONError) in
            place = .field(name)
            switch name {
            case "options":
                guard let members = try reader.value().members else {
                    faults.add(
                        .invalidType, Problem.Reason("wrong type", field: "options", expected: "an object"))
                    return
                }
                options = members
            case "rollouts":
                var columns = RolloutColumns(schema: schema)
                defer { rollouts = columns }
                try reader.array { (reader, index) throws(JSONError) in
                    place = .rollout(index)
                    guard index < RolloutColumns.limit else {
                        throw JSONError(.tooManyValues(limit: RolloutColumns.limit), byte: reader.position)
                    }
                    try columns.read(&reader, at: index, place: &place)
                }
            case TensorSpec.groupIDs.name where schema[name] != nil:
                var names: [GroupName] = []
                try reader.array { (reader, index) throws(JSONError) in
                    let name = try GroupName(from: &reader)
                    name.check("group_ids[\(index)]", &faults)
                    names.append(name)
                }
                groups = names
            default:
                if let spec = schema.columns.first(where: { $0.name == name }) {
                    var nested = NestedNumbers(allowingBooleans: spec.elements == .mask)
                    try nested.read(&reader)
                    if let fault = nested.fault {
                        faults.add(.invalidShape, Problem.Reason(fault, field: name))
                    } else {
                        tensors[name] = DenseTensor(nested.values, shape: nested.shape)
                    }
                    return
                }
                faults.add(
                    .unknownField,
                    .unknown("field", name, known: schema.columns.map(\.name) + ["options", "rollouts"]))
                try reader.skip()
            }
        }
        place = .body
        try reader.end()
    }
}
