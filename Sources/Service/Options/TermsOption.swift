import ContrastiveLoss
import JSON

extension Option {
    /// An option with a list of {"anchor", "reference", "weight"}. The weight is 1 if omitted.
    static func terms(_ name: String, _ path: Path<[Term]>) -> Option {
        Option(
            name: name,
            expected:
                "a list of at most \(Term.limit) {\"anchor\": view, \"reference\": another view, \"weight\": number ≠ 0}",
            spelling: .json, acceptsNull: false,
            set: { target, json in
                guard let list = json.array else { return .wrongType }
                guard list.count <= Term.limit else { return .outOfDomain }
                var terms: [Term] = []
                for entry in list {
                    guard let members = entry.members else { return .wrongType }
                    guard let term = Term(members) else { return .outOfDomain }
                    terms.append(term)
                }
                target[keyPath: path] = terms
                return .valid
            },
            echo: { .array($0[keyPath: path].map(\.json)) })
    }

    /// An option with an object of numbers for some views. The others have 0.
    static func numbers(_ name: String, _ path: Path<PerView<Double>>) -> Option {
        Option(
            name: name, expected: "{view: number, …}", spelling: .json, acceptsNull: true,
            set: { target, json in
                guard json != .null else {
                    target[keyPath: path] = PerView(repeating: 0)
                    return .valid
                }
                guard let members = json.members else { return .wrongType }
                var values = PerView(repeating: 0.0)
                for member in members {
                    guard let view = View(rawValue: member.name) else { return .outOfDomain }
                    guard let value = member.value.double else { return .wrongType }
                    values[view] = value
                }
                target[keyPath: path] = values
                return .valid
            },
            echo: { target in
                let values = target[keyPath: path]
                return .object(
                    View.allCases.filter { values[$0] != 0 }.map { .init($0.rawValue, .number(values[$0])) })
            })
    }
}

extension Term {
    fileprivate init?(_ members: [JSONValue.Member]) {
        var views: [String: View] = [:]
        var weight = 1.0
        for member in members {
            switch member.name {
            case "anchor", "reference": views[member.name] = member.value.string.flatMap(View.init)
            case "weight":
                guard let value = member.value.double else { return nil }
                weight = value
            default: return nil
            }
        }
        guard let anchor = views["anchor"], let reference = views["reference"], anchor != reference,
            weight != 0, weight.isFinite
        else { return nil }
        self.init(anchor, reference, weight: weight)
    }

    fileprivate var json: JSONValue {
        [
            "anchor": .string(pair.anchor.rawValue), "reference": .string(pair.reference.rawValue),
            "weight": .number(weight),
        ]
    }
}
