import JSON

/// One named option of a request, with functions that validate its value, assign it to a target, and echo it.
struct Option<Target>: Sendable {
    let name: String
    /// A description of valid values, for error messages.
    let expected: String
    /// The spelling of the value in a query.
    let spelling: Spelling
    /// Whether null is a value, which a query spells `none`.
    let acceptsNull: Bool
    /// Assigns a valid value to the target, or returns what is wrong with it.
    let set: @Sendable (inout Target, JSONValue) -> OptionVerdict
    let echo: @Sendable (Target) -> JSONValue
}

/// The way in which the text of a query parameter becomes a JSON value.
enum Spelling: Sendable {
    /// A JSON number, true, false or null; otherwise a string.
    case scalar
    /// Words separated by commas.
    case list
    /// JSON of any kind.
    case json
}

enum OptionVerdict {
    case valid
    /// The value does not have the option's JSON type.
    case wrongType
    /// The value has the right type, but the option does not accept it.
    case outOfDomain
}

extension Option {
    /// Returns the same option for a type that contains this target.
    func lifted<Holder>(_ path: any WritableKeyPath<Holder, Target> & Sendable) -> Option<Holder> {
        Option<Holder>(
            name: name, expected: expected, spelling: spelling, acceptsNull: acceptsNull,
            set: { holder, json in set(&holder[keyPath: path], json) }, echo: { echo($0[keyPath: path]) })
    }

    typealias Path<Value> = any WritableKeyPath<Target, Value> & Sendable

    /// An option with one of an enumeration's words.
    static func choice<Value: RawRepresentable & CaseIterable & Sendable>(
        _ name: String, _ path: Path<Value>, aliases: [String: Value] = [:]
    ) -> Option where Value.RawValue == String {
        Option(
            name: name, expected: "one of " + Value.allCases.map(\.rawValue).joined(separator: ", "),
            spelling: .scalar, acceptsNull: false,
            set: { target, json in
                guard let word = json.string else { return .wrongType }
                guard let value = Value(rawValue: word) ?? aliases[word] else { return .outOfDomain }
                target[keyPath: path] = value
                return .valid
            }, echo: { .string($0[keyPath: path].rawValue) })
    }

    /// An option with a finite number in a range, which may be open at its lower end (`above`).
    static func number(
        _ name: String, _ path: Path<Double>, above: Double? = nil, from: Double? = nil, to: Double? = nil
    ) -> Option {
        let range = NumberRange(above: above, from: from, to: to)
        return Option(
            name: name, expected: "a number" + range.words, spelling: .scalar, acceptsNull: false,
            set: { target, json in
                guard let value = json.double else { return .wrongType }
                guard range.contains(value) else { return .outOfDomain }
                target[keyPath: path] = value
                return .valid
            }, echo: { .number($0[keyPath: path]) })
    }

    /// An option with a number above 0, or null for none.
    static func limit(_ name: String, _ path: Path<Double?>) -> Option {
        optional(name, path, NumberRange(above: 0))
    }

    /// An option with a finite number in a range, or null for none.
    static func optional(_ name: String, _ path: Path<Double?>, _ range: NumberRange = NumberRange())
        -> Option
    {
        Option(
            name: name, expected: "a number\(range.words), or null for none", spelling: .scalar,
            acceptsNull: true,
            set: { target, json in
                if json == .null {
                    target[keyPath: path] = nil
                    return .valid
                }
                guard let value = json.double else { return .wrongType }
                guard range.contains(value) else { return .outOfDomain }
                target[keyPath: path] = value
                return .valid
            }, echo: { $0[keyPath: path].map { .number($0) } ?? .null })
    }

    /// An option with a whole number from 1, or null for none.
    static func count(_ name: String, _ path: Path<Int?>, to maximum: Int64) -> Option {
        Option(
            name: name, expected: "a whole number from 1 to \(maximum), or null", spelling: .scalar,
            acceptsNull: true,
            set: { target, json in
                if json == .null {
                    target[keyPath: path] = nil
                    return .valid
                }
                guard let value = json.integer else { return .wrongType }
                guard value >= 1, value <= maximum else { return .outOfDomain }
                target[keyPath: path] = Int(value)
                return .valid
            }, echo: { $0[keyPath: path].map { .integer(Int64($0)) } ?? .null })
    }

    /// An option with a whole number in a range.
    static func integer(_ name: String, _ path: Path<Int>, _ range: ClosedRange<Int64>) -> Option {
        Option(
            name: name, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            spelling: .scalar, acceptsNull: false,
            set: { target, json in
                guard let value = json.integer else { return .wrongType }
                guard range.contains(value) else { return .outOfDomain }
                target[keyPath: path] = Int(value)
                return .valid
            }, echo: { .integer(Int64($0[keyPath: path])) })
    }

    /// An option with true or false.
    static func flag(_ name: String, _ path: Path<Bool>) -> Option {
        Option(
            name: name, expected: "true or false", spelling: .scalar, acceptsNull: false,
            set: { target, json in
                guard let value = json.bool else { return .wrongType }
                target[keyPath: path] = value
                return .valid
            }, echo: { .bool($0[keyPath: path]) })
    }

    /// An option with a list of an enumeration's words, as a set. Repeated words count once, and the echo has the
    /// enumeration's order.
    ///
    /// - Parameter groups: words that stand for several values. `none` stands alone.
    static func set<Value: RawRepresentable & CaseIterable & Hashable & Sendable>(
        _ name: String, _ path: Path<Set<Value>>, groups: [String: [Value]] = [:]
    ) -> Option where Value.RawValue == String {
        Option(
            name: name,
            expected: "a list of some of "
                + (groups.keys.sorted() + Value.allCases.map(\.rawValue)).joined(separator: ", "),
            spelling: .list, acceptsNull: false,
            set: { target, json in
                guard let words = json.array else { return .wrongType }
                var values: Set<Value> = []
                for word in words {
                    guard let text = word.string else { return .wrongType }
                    guard let named = groups[text] ?? Value(rawValue: text).map({ [$0] }) else {
                        return .outOfDomain
                    }
                    guard text != "none" || words.count == 1 else { return .outOfDomain }
                    values.formUnion(named)
                }
                target[keyPath: path] = values
                return .valid
            },
            echo: { target in
                .array(Value.allCases.filter(target[keyPath: path].contains).map { .string($0.rawValue) })
            })
    }
}
