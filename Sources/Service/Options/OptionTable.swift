import JSON

/// The options of one operation, in the order in which they are echoed.
struct OptionTable<Target>: Sendable {
    let options: [Option<Target>]

    var names: [String] { options.map(\.name) }

    /// Applies members to the target. Reports every fault, not only the first.
    /// - Parameters:
    ///   - prefix: the path of the members, for errors.
    ///   - alsoKnown: further valid names, for suggestions.
    ///   - asFields: whether an unknown name is reported as a field of a body instead of an option.
    func apply(
        _ members: [JSONValue.Member], prefix: String = "", alsoKnown: [String] = [], asFields: Bool = false,
        to target: inout Target, _ faults: inout Faults
    ) {
        for member in members {
            guard let option = options.first(where: { $0.name == member.name }) else {
                faults.add(
                    asFields ? .unknownField : .unknownOption,
                    .unknown(asFields ? "field" : "option", member.name, known: names + alsoKnown))
                continue
            }
            let verdict = option.set(&target, member.value)
            guard verdict != .valid else { continue }
            faults.add(
                verdict == .wrongType ? .invalidType : .invalidOption,
                Problem.Reason(
                    "invalid value", field: prefix + member.name, expected: option.expected,
                    found: member.value.text.clipped(to: 80)))
        }
    }

    func echo(_ target: Target) -> JSONValue {
        .object(options.map { .init($0.name, $0.echo(target)) })
    }
}
