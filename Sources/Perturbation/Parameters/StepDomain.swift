/// The values that a parameter of a step may have.
enum StepDomain: Sendable, Equatable {
    case number(ClosedRange<Double>)
    /// Null has the same meaning as omission.
    case numberOrNull(ClosedRange<Double>)
    case integer(ClosedRange<Int64>)
    /// The start of a random stream. A recipe draws it if omitted.
    case seed
    case boolean
    case word([String])
    case color
    /// A picture of the request, by id or index. A recipe draws it if omitted.
    case picture
    /// [x, y]
    case numberPair(ClosedRange<Double>)
    case integerPair(ClosedRange<Int64>)
    /// Four points [x, y]: top left, top right, bottom right, bottom left.
    case corners(ClosedRange<Int64>)
    /// A list that the step reads itself, with its elements and length in words.
    case list(of: String, String)

    static func word<Choice: RawRepresentable<String> & CaseIterable>(_ type: Choice.Type) -> StepDomain {
        .word(type.allCases.map(\.rawValue))
    }

    static let seeds = 0...Int64.max

    /// The type as shown in the list of steps.
    var type: String {
        switch self {
        case .number: "number"
        case .numberOrNull: "number or null"
        case .integer, .seed: "integer"
        case .boolean: "boolean"
        case .word: "name"
        case .color: "integer or [red, green, blue]"
        case .picture: "string or integer"
        case .numberPair: "list of [x, y], numbers"
        case .integerPair: "list of [x, y], integers"
        case .corners: "list of four [x, y], integers"
        case .list(let elements, _): "list of \(elements)"
        }
    }

    /// The range as shown in the list of steps and in errors.
    var range: String {
        switch self {
        case .number(let range), .numberOrNull(let range), .numberPair(let range): range.words
        case .integer(let range), .integerPair(let range), .corners(let range): range.words
        case .seed: StepDomain.seeds.words
        case .boolean: "true or false"
        case .word(let words): words.joined(separator: " or ")
        case .color: "0 … 255"
        case .picture: "the second picture: its id, or its index in the request"
        case .list(_, let range): range
        }
    }

    /// The expectation in errors about a missing value or one of another kind.
    var expected: String {
        switch self {
        case .number(let range), .numberOrNull(let range): "a number \(range.words)"
        case .integer(let range): "an integer \(range.words)"
        case .seed: "an integer \(StepDomain.seeds.words)"
        case .boolean: "true or false"
        case .word(let words): words.map { "\"\($0)\"" }.joined(separator: " or ")
        case .color: "0 … 255 or [red, green, blue]"
        case .picture: "the id or the index of a picture of the request"
        case .numberPair, .integerPair: "a list [x, y]"
        case .corners: "four points [x, y]"
        case .list(_, let range): range
        }
    }
}

extension ClosedRange<Int64> {
    var words: String { "\(lowerBound) … \(upperBound)" }
}

extension ClosedRange<Double> {
    /// Formats whole numbers without a decimal point.
    var words: String {
        let ends = [lowerBound, upperBound].map { end in
            Int64(exactly: end).map(String.init) ?? "\(end)"
        }
        return ends.joined(separator: " … ")
    }
}
