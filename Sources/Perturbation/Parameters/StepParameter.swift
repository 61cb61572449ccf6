package import JSON

/// A parameter of a step: the one source of what people read about it, what the reader accepts, and what it is when it is
/// left out.
package struct StepParameter: Sendable, Equatable {
    package let name: String
    let domain: StepDomain
    /// In words, such as `0 … 100`.
    package let range: String
    /// The value when it is left out, or nil when it must be given.
    package let standard: JSONValue?

    /// - Parameters:
    ///   - range: in words, where they say more than the domain does; else the domain's own.
    ///   - note: what follows the range, punctuation included.
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
