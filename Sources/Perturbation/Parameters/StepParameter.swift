package import JSON

/// A parameter of a step. It is the only source of its description, its accepted values and its default.
package struct StepParameter: Sendable, Equatable {
    package let name: String
    let domain: StepDomain
    /// The range in words, such as `0 … 100`.
    package let range: String
    /// The default, or nil if the parameter is required.
    package let standard: JSONValue?

    /// - Parameters:
    ///   - range: the range in words, if it says more than the domain; by default the domain's own.
    ///   - note: the text after the range, including punctuation.
    init(
        _ name: String, _ domain: StepDomain, range: String? = nil, note: String = "",
        standard: JSONValue? = nil
    ) {
        self.name = name
        self.domain = domain
        self.range = (range ?? domain.range) + note
        self.standard = standard
    }

    /// `{"name", "type", "range", "required", "default"?}`
    package var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(name)), .init("type", .string(domain.type)), .init("range", .string(range)),
            .init("required", .bool(standard == nil)),
        ]
        if let standard { members.append(.init("default", standard)) }
        return .object(members)
    }

    static func fill(_ name: String = "fill", standard: FillColor = .black) -> StepParameter {
        StepParameter(name, .color, standard: standard.json)
    }

    /// The second picture of a pair.
    static let image = StepParameter("image", .picture)
}
