internal import JSON

/// Returns a parameter's value in as few characters as distinguish pictures.
///
/// Numbers have at most four decimals and four significant digits: `0.8231`, `12.35`, `1024`. Whole numbers of more
/// than six digits, which only seeds have, show their first four: `8387..`. Lists of up to four entries are written out
/// (`0,0;335,4`); longer ones show their length: `[50]`.
func shortText(_ value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool(let flag): "\(flag)"
    case .integer(let number): shortText(number)
    case .number(let number): shortText(number)
    case .string(let text): text
    case .object: "{..}"
    case .array(let entries) where entries.count > 4: "[\(entries.count)]"
    case .array(let entries):
        entries.map(shortText).joined(separator: entries.contains { $0.array != nil } ? ";" : ",")
    }
}

private func shortText(_ number: Int64) -> String {
    let digits = String(number.magnitude)
    guard digits.count > 6 else { return "\(number)" }
    return (number < 0 ? "-" : "") + digits.prefix(4) + ".."
}

private func shortText(_ number: Double) -> String {
    let size = number.magnitude
    if let whole = Int64(exactly: number) { return shortText(whole) }
    guard size < 1e6 else { return "\(number)" }
    if size < 0.00005 { return number < 0 ? "-0.0000.." : "0.0000.." }
    let places = size < 1 ? 4 : size < 10 ? 3 : size < 100 ? 2 : size < 1000 ? 1 : 0
    let scale = [1, 10, 100, 1000, 10_000][places]
    let scaled = Int((size * Double(scale)).rounded())
    var fraction = String(scaled % scale)
    fraction = String(repeating: "0", count: max(0, places - fraction.count)) + fraction
    while fraction.hasSuffix("0") { fraction.removeLast() }
    return (number < 0 ? "-" : "") + "\(scaled / scale)" + (fraction.isEmpty ? "" : "." + fraction)
}
