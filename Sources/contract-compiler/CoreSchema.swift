import JSON
import Yams

/// YAML nodes as JSON by YAML 1.2's core schema, which OpenAPI 3.1 means: quoted scalars are strings, plain ones what they
/// spell.
enum CoreSchema {
    /// A scalar that YAML and JSON spell in different ways, which the contract has no need of.
    struct Ambiguity: Error, CustomStringConvertible {
        let text: String
        let line: Int

        var description: String {
            "line \(line): \(text) is a number, a Boolean value or null in YAML alone; quote it or spell it as JSON does"
        }
    }

    /// - Throws: ``Ambiguity``.
    static func value(of node: Node) throws(Ambiguity) -> JSONValue {
        switch node {
        case .mapping(let mapping):
            var members: [JSONValue.Member] = []
            for (key, value) in mapping {
                members.append(.init(key.scalar?.string ?? "", try Self.value(of: value)))
            }
            return .object(members)
        case .sequence(let sequence):
            var values: [JSONValue] = []
            for element in sequence { values.append(try value(of: element)) }
            return .array(values)
        case .scalar(let scalar):
            return try value(of: scalar)
        case .alias:
            preconditionFailure("composing resolves aliases")
        }
    }

    private static func value(of scalar: Node.Scalar) throws(Ambiguity) -> JSONValue {
        guard scalar.style == .plain else { return .string(scalar.string) }
        if scalar.string.isEmpty { return .null }
        if let value = try? JSONValue(parsing: scalar.string), value.string == nil { return value }
        let ofYAMLAlone =
            /~|[Nn]ull|NULL|[Tt]rue|TRUE|[Ff]alse|FALSE|[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)/
        guard scalar.string.wholeMatch(of: ofYAMLAlone) == nil else {
            throw Ambiguity(text: scalar.string, line: scalar.mark?.line ?? 0)
        }
        return .string(scalar.string)
    }
}
