package import JSON

/// A parameter as people read it in the list of recipes and steps.
package struct StepParameter: Sendable, Equatable {
    package let name: String
    /// In words, such as `number` or `list of [x, y, width, height]`.
    package let type: String
    /// In words, such as `0 … 100`.
    package let range: String
    /// The value when it is left out, or nil when it must be given.
    package let standard: JSONValue?

    package init(_ name: String, type: String, range: String, standard: JSONValue? = nil) {
        self.name = name
        self.type = type
        self.range = range
        self.standard = standard
    }

    /// `{"name", "type", "range", "required", "default"?}`
    package var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(name)), .init("type", .string(type)), .init("range", .string(range)),
            .init("required", .bool(standard == nil)),
        ]
        if let standard { members.append(.init("default", standard)) }
        return .object(members)
    }
}
