import Text

internal import JSON

/// Reads the parameters of one step out of its JSON object, strictly: what is unknown or given twice is refused
/// before anything is read, and every value is held against its range.
struct ParameterReader {
    let step: String
    private let object: JSONValue

    /// - Throws: `wrongShape`, `unknownStep` when the object names another step, `unknownParameter`,
    ///   `repeatedParameter`.
    init(_ object: JSONValue, for step: any PerturbationStep.Type) throws(StepError) {
        self.step = step.name
        self.object = object
        guard let members = object.members else {
            throw .wrongShape(expected: "an object {\"step\": \"\(step.name)\", …}", found: object.kind)
        }
        let names = step.parameters.map(\.name)
        var seen: Set<String> = []
        for member in members {
            guard seen.insert(member.name).inserted else {
                throw .repeatedParameter(step: step.name, path: member.name)
            }
            if member.name == "step" {
                guard member.value.string == step.name else {
                    throw .wrongType(
                        step: step.name, path: "step", expected: "\"\(step.name)\"", found: member.value.kind)
                }
            } else if !names.contains(member.name) {
                throw .unknown(member.name, in: step.name, known: names)
            }
        }
    }

    func has(_ name: String) -> Bool { object[name] != nil }

    /// Whether the parameter is left out or null.
    func isNull(_ name: String) -> Bool { object[name].map { $0 == .null } ?? true }

    func number(_ name: String, in range: ClosedRange<Double>, standard: Double? = nil) throws(StepError)
        -> Double
    {
        guard let value = object[name] else {
            guard let standard else { throw missing(name, "a number \(range.words)") }
            return standard
        }
        return try number(value, path: name, in: range)
    }

    func number(
        _ value: JSONValue, path: String, in range: ClosedRange<Double>
    ) throws(StepError) -> Double {
        guard let number = value.double else {
            throw .wrongType(step: step, path: path, expected: "a number", found: value.kind)
        }
        guard number.isFinite else { throw .nonFinite(step: step, path: path) }
        guard range.contains(number) else {
            throw .outOfRange(step: step, path: path, expected: range.words, found: "\(number)")
        }
        return number
    }

    func integer(_ name: String, in range: ClosedRange<Int64>, standard: Int64? = nil) throws(StepError)
        -> Int64
    {
        guard let value = object[name] else {
            guard let standard else { throw missing(name, "an integer \(range.words)") }
            return standard
        }
        return try integer(value, path: name, in: range)
    }

    /// An integer; `7.0` counts as one, `7.5` doesn't.
    func integer(_ value: JSONValue, path: String, in range: ClosedRange<Int64>) throws(StepError) -> Int64 {
        if let number = value.double, !number.isFinite { throw .nonFinite(step: step, path: path) }
        guard let integer = value.integer else {
            throw .wrongType(step: step, path: path, expected: "an integer \(range.words)", found: value.kind)
        }
        guard range.contains(integer) else {
            throw .outOfRange(step: step, path: path, expected: range.words, found: "\(integer)")
        }
        return integer
    }

    func boolean(_ name: String, standard: Bool) throws(StepError) -> Bool {
        guard let value = object[name] else { return standard }
        guard let boolean = value.bool else {
            throw .wrongType(step: step, path: name, expected: "true or false", found: value.kind)
        }
        return boolean
    }

    func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, standard: Choice
    ) throws(StepError) -> Choice {
        guard let value = object[name] else { return standard }
        return try choice(value, path: name)
    }

    func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ value: JSONValue, path: String
    ) throws(StepError) -> Choice {
        let expected = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: " or ")
        guard let word = value.string else {
            throw .wrongType(step: step, path: path, expected: expected, found: value.kind)
        }
        guard let choice = Choice(rawValue: word) else {
            throw .outOfRange(step: step, path: path, expected: expected, found: "\"\(word)\"")
        }
        return choice
    }

    func list(
        _ name: String, _ expected: String, counts: ClosedRange<Int>
    ) throws(StepError) -> [JSONValue] {
        guard let value = object[name] else { throw missing(name, expected) }
        return try list(value, path: name, expected, counts: counts)
    }

    func list(
        _ value: JSONValue, path: String, _ expected: String, counts: ClosedRange<Int>
    ) throws(StepError) -> [JSONValue] {
        guard let list = value.array else {
            throw .wrongType(step: step, path: path, expected: expected, found: value.kind)
        }
        guard counts.contains(list.count) else {
            throw .outOfRange(step: step, path: path, expected: expected, found: "\(list.count) elements")
        }
        return list
    }

    /// One level for all channels or [red, green, blue].
    func color(_ name: String, standard: FillColor = .black) throws(StepError) -> FillColor {
        guard let value = object[name] else { return standard }
        if value.array == nil {
            let gray = UInt8(try integer(value, path: name, in: 0...255))
            return FillColor(red: gray, green: gray, blue: gray)
        }
        let levels = try list(value, path: name, "0 … 255 or [red, green, blue]", counts: 3...3)
        var channels: [UInt8] = []
        for (index, level) in levels.enumerated() {
            channels.append(UInt8(try integer(level, path: "\(name)[\(index)]", in: 0...255)))
        }
        return FillColor(red: channels[0], green: channels[1], blue: channels[2])
    }

    /// A picture of the request, by id or index.
    func picture(_ name: String) throws(StepError) -> PictureReference {
        let expected = "the id or the index of a picture of the request"
        guard let value = object[name] else { throw missing(name, expected) }
        if let id = value.string { return .id(id) }
        guard value.double != nil else {
            throw .wrongType(step: step, path: name, expected: expected, found: value.kind)
        }
        return .index(Int(try integer(value, path: name, in: 0...Int64(Int32.max))))
    }

    private func missing(_ name: String, _ expected: String) -> StepError {
        .missingParameter(step: step, path: name, expected: expected)
    }
}

extension StepError {
    /// `unknownParameter` with the name that was probably meant.
    static func unknown(_ name: String, in step: String, known: [String]) -> StepError {
        .unknownParameter(step: step, path: name, nearest: nearestName(to: name, among: known))
    }
}

/// The colour of what lies outside the picture.
struct FillColor: Sendable, Equatable {
    let red, green, blue: UInt8

    static let black = FillColor(red: 0, green: 0, blue: 0)
    static let gray = FillColor(red: 128, green: 128, blue: 128)
    static let white = FillColor(red: 255, green: 255, blue: 255)

    var json: JSONValue { [.integer(Int64(red)), .integer(Int64(green)), .integer(Int64(blue))] }
}

extension ClosedRange {
    var words: String { "\(lowerBound) … \(upperBound)" }
}

extension JSONValue {
    /// What kind of value this is, for error messages.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): "\"\(String(value.unicodeScalars.prefix(40)))\""
        case .array: "an array"
        case .object: "an object"
        }
    }
}
