import JSON

/// The range of finite numbers that an option accepts. Its lower end may be open (`above`).
struct NumberRange: Sendable {
    var above: Double?
    var from: Double?
    var to: Double?

    func contains(_ value: Double) -> Bool {
        value.isFinite && above.map { value > $0 } ?? true && from.map { value >= $0 } ?? true
            && to.map { value <= $0 } ?? true
    }

    var words: String {
        var words: [String] = []
        if let above { words.append("> \(JSONValue.number(above).text)") }
        if let from { words.append("≥ \(JSONValue.number(from).text)") }
        if let to { words.append("≤ \(JSONValue.number(to).text)") }
        return words.isEmpty ? "" : " " + words.joined(separator: " and ")
    }
}
