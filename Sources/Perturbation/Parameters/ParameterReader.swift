import Text

internal import JSON

/// Reads the parameters of one step from its JSON object. Unknown and repeated members are refused before anything is
/// read, and every value is checked against the domain that the step lists for it.
struct ParameterReader {
    let step: String
    private let object: JSONValue
    private let parameters: [StepParameter]

    /// - Throws: `wrongShape`, `unknownStep` if the object names another step, `unknownParameter`, `repeatedParameter`.
    init(_ object: JSONValue, for step: any PerturbationStep.Type) throws(StepError) {
        self.step = step.name
        self.object = object
        parameters = step.parameters
        guard let members = object.members else {
            throw .wrongShape(expected: "an object {\"step\": \"\(step.name)\", …}", found: object.kind)
        }
        let names = parameters.map(\.name)
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

    func number(_ name: String) throws(StepError) -> Double {
        let parameter = parameter(name)
        guard case .number(let range) = parameter.domain else { parameter.isMisread() }
        return try number(value(of: parameter), path: name, in: range)
    }

    /// Nil for null.
    func numberOrNull(_ name: String) throws(StepError) -> Double? {
        let parameter = parameter(name)
        guard case .numberOrNull(let range) = parameter.domain else { parameter.isMisread() }
        let value = try value(of: parameter)
        return value == .null ? nil : try number(value, path: name, in: range)
    }

    private func number(
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

    func integer(_ name: String) throws(StepError) -> Int {
        let parameter = parameter(name)
        guard case .integer(let range) = parameter.domain else { parameter.isMisread() }
        return Int(try integer(value(of: parameter), path: name, in: range))
    }

    func seed(_ name: String) throws(StepError) -> Int64 {
        let parameter = parameter(name)
        guard case .seed = parameter.domain else { parameter.isMisread() }
        return try integer(value(of: parameter), path: name, in: StepDomain.seeds)
    }

    /// An integer. `7.0` counts as one, `7.5` does not.
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

    func boolean(_ name: String) throws(StepError) -> Bool {
        let parameter = parameter(name)
        guard case .boolean = parameter.domain else { parameter.isMisread() }
        let value = try value(of: parameter)
        guard let boolean = value.bool else {
            throw .wrongType(
                step: step, path: name, expected: parameter.domain.expected, found: value.kind)
        }
        return boolean
    }

    func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String
    ) throws(StepError) -> Choice {
        let parameter = parameter(name)
        guard parameter.domain == .word(Choice.self) else { parameter.isMisread() }
        return try choice(value(of: parameter), path: name)
    }

    func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ value: JSONValue, path: String
    ) throws(StepError) -> Choice {
        let expected = StepDomain.word(Choice.self).expected
        guard let word = value.string else {
            throw .wrongType(step: step, path: path, expected: expected, found: value.kind)
        }
        guard let choice = Choice(rawValue: word) else {
            throw .outOfRange(step: step, path: path, expected: expected, found: "\"\(word)\"")
        }
        return choice
    }

    func numberPair(_ name: String) throws(StepError) -> (x: Double, y: Double) {
        let parameter = parameter(name)
        guard case .numberPair(let range) = parameter.domain else { parameter.isMisread() }
        let pair = try list(value(of: parameter), path: name, parameter.domain.expected, counts: 2...2)
        return (
            try number(pair[0], path: "\(name)[0]", in: range),
            try number(pair[1], path: "\(name)[1]", in: range)
        )
    }

    func integerPair(_ name: String) throws(StepError) -> (x: Int, y: Int) {
        let parameter = parameter(name)
        guard case .integerPair(let range) = parameter.domain else { parameter.isMisread() }
        return try integerPair(
            value(of: parameter), path: name, expected: parameter.domain.expected, in: range)
    }

    func corners(_ name: String) throws(StepError) -> [(x: Int, y: Int)] {
        let parameter = parameter(name)
        guard case .corners(let range) = parameter.domain else { parameter.isMisread() }
        var points: [(x: Int, y: Int)] = []
        let list = try list(value(of: parameter), path: name, parameter.domain.expected, counts: 4...4)
        for (index, point) in list.enumerated() {
            points.append(
                try integerPair(point, path: "\(name)[\(index)]", expected: "a point [x, y]", in: range))
        }
        return points
    }

    private func integerPair(
        _ value: JSONValue, path: String, expected: String, in range: ClosedRange<Int64>
    ) throws(StepError) -> (x: Int, y: Int) {
        let pair = try list(value, path: path, expected, counts: 2...2)
        return (
            Int(try integer(pair[0], path: "\(path)[0]", in: range)),
            Int(try integer(pair[1], path: "\(path)[1]", in: range))
        )
    }

    func list(
        _ name: String, _ expected: String, counts: ClosedRange<Int>
    ) throws(StepError) -> [JSONValue] {
        guard let value = object[name] else {
            throw .missingParameter(step: step, path: name, expected: expected)
        }
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

    func color(_ name: String) throws(StepError) -> FillColor {
        let parameter = parameter(name)
        guard case .color = parameter.domain else { parameter.isMisread() }
        let value = try value(of: parameter)
        if value.array == nil {
            let gray = UInt8(try integer(value, path: name, in: 0...255))
            return FillColor(red: gray, green: gray, blue: gray)
        }
        let levels = try list(value, path: name, parameter.domain.expected, counts: 3...3)
        var channels: [UInt8] = []
        for (index, level) in levels.enumerated() {
            channels.append(UInt8(try integer(level, path: "\(name)[\(index)]", in: 0...255)))
        }
        return FillColor(red: channels[0], green: channels[1], blue: channels[2])
    }

    func picture(_ name: String) throws(StepError) -> PictureReference {
        let parameter = parameter(name)
        guard case .picture = parameter.domain else { parameter.isMisread() }
        let value = try value(of: parameter)
        if let id = value.string { return .id(id) }
        guard value.double != nil else {
            throw .wrongType(
                step: step, path: name, expected: parameter.domain.expected, found: value.kind)
        }
        return .index(Int(try integer(value, path: name, in: 0...Int64(Int32.max))))
    }

    private func parameter(_ name: String) -> StepParameter {
        guard let parameter = parameters.first(where: { $0.name == name }) else {
            preconditionFailure("\(step) reads \(name), which it does not list")
        }
        return parameter
    }

    /// The given value, otherwise the default.
    private func value(of parameter: StepParameter) throws(StepError) -> JSONValue {
        if let value = object[parameter.name] ?? parameter.standard { return value }
        throw .missingParameter(step: step, path: parameter.name, expected: parameter.domain.expected)
    }
}

extension StepParameter {
    fileprivate func isMisread() -> Never {
        preconditionFailure("\(name) is read as something else than it is listed as")
    }
}

extension StepError {
    /// `unknownParameter` with the name that was probably meant.
    static func unknown(_ name: String, in step: String, known: [String]) -> StepError {
        .unknownParameter(step: step, path: name, nearest: nearestName(to: name, among: known))
    }
}

extension JSONValue {
    /// The kind of a value, for error messages.
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
