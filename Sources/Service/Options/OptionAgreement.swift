import JSON

/// Finds options of a request that have no effect, given the other options.
///
/// Such an option is refused, because the client that sets it expects an effect. Null, the default and the preset's
/// value are accepted, so that a client can post an echoed `options` object back.
struct OptionAgreement<Target> {
    let table: OptionTable<Target>
    /// The options that the request sets.
    let given: [JSONValue.Member]
    let resolved: Target
    /// Targets with values that a request may repeat: the standard preset and the request's preset.
    let standards: [Target]

    /// - Parameter reason: the reason why it has no effect.
    func check(_ names: [String], act: Bool, _ reason: String, _ faults: inout Faults) {
        guard !act else { return }
        for name in names {
            guard let option = table.options.first(where: { $0.name == name }),
                let member = given.first(where: { $0.name == name }), member.value != .null
            else { continue }
            let value = option.echo(resolved)
            guard value != .null, !standards.contains(where: { option.echo($0) == value }) else { continue }
            faults.add(
                .conflictingFields,
                Problem.Reason(
                    "it has no effect: \(reason)", field: name, found: value.text.clipped(to: 80)))
        }
    }
}
