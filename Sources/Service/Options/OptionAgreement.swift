import JSON

/// Options of a request that act on nothing, given what the others are.
///
/// Such an option is refused, because whoever sets it expects something of it; but not where it is null, its default or the
/// preset's value: an echoed `options` object may be posted back.
struct OptionAgreement<Target> {
    let table: OptionTable<Target>
    /// What the request itself says.
    let given: [JSONValue.Member]
    let resolved: Target
    /// Those whose values say nothing: the standard preset and the request's.
    let standards: [Target]

    /// - Parameter reason: why it acts on nothing.
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
                    "acts on nothing: \(reason)", field: name, found: value.text.clipped(to: 80)))
        }
    }
}
