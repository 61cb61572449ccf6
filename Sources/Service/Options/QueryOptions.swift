import HTTP
import JSON

extension OptionTable {
    /// Returns query parameters as option members. Each text is read in the spelling of its option, and `none` is null
    /// if the option accepts null. A repeated name is a fault.
    func members(of query: [QueryItem], _ faults: inout Faults) -> [JSONValue.Member] {
        var seen: Set<String> = []
        return query.compactMap { item in
            guard seen.insert(item.name).inserted else {
                let isList = options.contains { $0.name == item.name && $0.spelling == .list }
                faults.add(
                    .malformedRequest,
                    Problem.Reason(
                        "given more than once" + (isList ? "; separate its words by commas" : ""),
                        field: item.name))
                return nil
            }
            let option = options.first { $0.name == item.name }
            if option?.acceptsNull == true, item.value == "none" { return .init(item.name, .null) }
            switch option?.spelling ?? .scalar {
            case .scalar:
                guard !BlankForPlus.isNumber(item.value) else {
                    faults.add(
                        .invalidType,
                        Problem.Reason(
                            BlankForPlus.hint("invalid value", for: item.value), field: item.name,
                            expected: option?.expected,
                            found: JSONValue.string(item.value).text.clipped(to: 80)))
                    return nil
                }
                return .init(item.name, queryScalar(item.value))
            case .list:
                let words = item.value.split(separator: ",").map { JSONValue.string(String($0)) }
                return .init(item.name, .array(words))
            case .json:
                // A text that is not JSON is refused as a wrong type, with the expected one.
                return .init(item.name, (try? JSONValue(parsing: item.value)) ?? .string(item.value))
            }
        }
    }
}

/// Returns the JSON scalar that a query parameter spells, otherwise a string.
func queryScalar(_ text: String) -> JSONValue {
    if let value = try? JSONValue(parsing: text) {
        switch value {
        case .bool, .integer, .number, .null: return value
        case .string, .array, .object: break
        }
    }
    return .string(text)
}
