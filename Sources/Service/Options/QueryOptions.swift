import HTTP
import JSON

extension OptionTable {
    /// Query parameters as option members. A parameter's text is read as a JSON number, true, false or null where it is
    /// one, `none` as null where the option is no word, else as a string; list options are split at commas. A name given
    /// twice is a fault.
    func members(of query: [QueryItem], _ faults: inout Faults) -> [JSONValue.Member] {
        var seen: Set<String> = []
        return query.compactMap { item in
            guard seen.insert(item.name).inserted else {
                faults.add(.malformedRequest, Problem.Reason("given more than once", field: item.name))
                return nil
            }
            let isList = options.first { $0.name == item.name }?.isList ?? false
            guard isList || !BlankForPlus.isNumber(item.value) else {
                faults.add(
                    .invalidType,
                    Problem.Reason(
                        BlankForPlus.hint("invalid value", for: item.value), field: item.name,
                        expected: options.first { $0.name == item.name }?.expected,
                        found: JSONValue.string(item.value).text.clipped(to: 80)))
                return nil
            }
            guard isList else {
                let takesNull = options.first { $0.name == item.name }?.expected.contains("null") ?? false
                return .init(item.name, takesNull && item.value == "none" ? .null : queryScalar(item.value))
            }
            let words = item.value.split(separator: ",").map { JSONValue.string(String($0)) }
            return .init(item.name, .array(words))
        }
    }
}

/// A query parameter's text as the JSON scalar it spells, else as a string.
func queryScalar(_ text: String) -> JSONValue {
    if let value = try? JSONValue(parsing: text) {
        switch value {
        case .bool, .integer, .number, .null: return value
        case .string, .array, .object: break
        }
    }
    return .string(text)
}
