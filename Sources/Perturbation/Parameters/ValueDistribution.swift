internal import JSON

/// The way in which a recipe determines the value of a parameter: fixed or drawn.
///
///     7, "nearest", true                       fixed; takes no word of the stream
///     {"uniform": [a, b]}                      k / 10,000 for an integer k uniform in 10,000 a … 10,000 b
///     {"integers": [a, b]}                     an integer uniform in a … b
///     {"choice": [x, y, …]}                    one of the list, uniformly
///     {"permutation": [x, y, …]}               the list in one of its n! orders: the k-th lexicographically, k uniform
///     [v, w]                                   a list of values, each of which may be drawn
///     {"value": v, "scheduled": true}          v · strength; `scheduled` may stand beside `uniform` and `integers` too
///
/// Each draw takes one word. Scheduled integers are truncated, other scheduled numbers rounded to four decimals.
indirect enum ValueDistribution: Sendable, Equatable {
    case fixed(JSONValue)
    /// In ten-thousandths.
    case uniform(ClosedRange<Int>)
    case integers(ClosedRange<Int>)
    case choice([JSONValue])
    case permutation([JSONValue])
    case list([ValueDistribution])
    case scheduled(ValueDistribution)

    /// All seeds that are exact for readers with numbers in Double.
    static let seeds = ValueDistribution.integers(0...(1 << 53) - 1)

    func draw(_ stream: inout RandomStream, strength: Double) -> JSONValue {
        switch self {
        case .fixed(let value): return value
        case .uniform(let range): return .number(stream.tenThousandths(in: range))
        case .integers(let range): return .integer(Int64(stream.integer(in: range)))
        case .choice(let values): return values[stream.integer(in: 0...(values.count - 1))]
        case .permutation(let values):
            var place = stream.integer(in: 0...(Self.factorial(values.count) - 1))
            var (left, ordered) = (values, [JSONValue]())
            while !left.isEmpty {
                let others = Self.factorial(left.count - 1)
                ordered.append(left.remove(at: place / others))
                place %= others
            }
            return .array(ordered)
        case .list(let values):
            var drawn: [JSONValue] = []
            for value in values { drawn.append(value.draw(&stream, strength: strength)) }
            return .array(drawn)
        case .scheduled(let value):
            return Self.scaled(value.draw(&stream, strength: strength), by: strength)
        }
    }

    private static func scaled(_ value: JSONValue, by strength: Double) -> JSONValue {
        switch value {
        // A Double holds no seed beyond 2^53 exactly, and rounds the largest to 2^63, which no Int64 holds.
        case .integer(let integer): .integer(strength == 1 ? integer : Int64(Double(integer) * strength))
        case .number(let number): .number((number * strength * 10_000).rounded() / 10_000)
        default: value
        }
    }

    static func factorial(_ count: Int) -> Int { count < 2 ? 1 : (2...count).reduce(1, *) }

    /// Whether the strength of a schedule changes the value.
    var isScheduled: Bool {
        switch self {
        case .scheduled: true
        case .list(let values): values.contains { $0.isScheduled }
        case .fixed, .uniform, .integers, .choice, .permutation: false
        }
    }

    /// Whether every draw is an integer.
    var isWhole: Bool {
        switch self {
        case .fixed(let value): value.integer != nil
        case .choice(let values): values.allSatisfy { $0.integer != nil }
        case .integers: true
        case .uniform, .permutation, .list: false
        // Only what is written as an integer is scaled to one.
        case .scheduled(let value):
            value.isWhole && value.extremes.allSatisfy { if case .integer = $0 { true } else { false } }
        }
    }

    /// The values at the distribution's ends. A recipe is valid only if the step accepts them.
    var extremes: [JSONValue] {
        switch self {
        case .fixed(let value): return [value]
        case .uniform(let range):
            return [range.lowerBound, range.upperBound].map { .number(Double($0) / 10_000) }
        case .integers(let range): return [range.lowerBound, range.upperBound].map { .integer(Int64($0)) }
        case .choice(let values): return values
        case .permutation(let values): return [.array(values)]
        case .list(let values):
            let ends = values.map(\.extremes)
            let most = ends.map(\.count).max() ?? 1
            return (0..<most).map { index in .array(ends.map { $0[min(index, $0.count - 1)] }) }
        case .scheduled(let value): return value.extremes + value.extremes.map { Self.scaled($0, by: 0) }
        }
    }

    var json: JSONValue {
        func range(_ bounds: ClosedRange<Int>, _ value: (Int) -> JSONValue) -> JSONValue {
            .array([value(bounds.lowerBound), value(bounds.upperBound)])
        }
        switch self {
        case .fixed(let value): return value
        case .uniform(let bounds): return ["uniform": range(bounds) { .number(Double($0) / 10_000) }]
        case .integers(let bounds): return ["integers": range(bounds) { .integer(Int64($0)) }]
        case .choice(let values): return ["choice": .array(values)]
        case .permutation(let values): return ["permutation": .array(values)]
        case .list(let values): return .array(values.map(\.json))
        case .scheduled(let value):
            let inner = value.json.members ?? [.init("value", value.json)]
            return .object(inner + [.init("scheduled", true)])
        }
    }
}
