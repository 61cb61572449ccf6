import ArgumentParser
import Glibc

/// Returns the value of an option: the argument, otherwise its environment variable, otherwise nil.
/// - Throws: a usage error if the text of the variable is not a valid value.
func resolved<Value: LosslessStringConvertible>(
    _ argument: Value?, _ option: String, _ expected: String, where isValid: (Value) -> Bool = { _ in true }
) throws -> Value? {
    if let argument {
        guard isValid(argument) else {
            throw ValidationError("--\(option) must be \(expected), not \(argument)")
        }
        return argument
    }
    let name = variable(option)
    guard let text = environment(name) else { return nil }
    guard let value = Value(text), isValid(value) else {
        if ServiceLink.isAddress(text) { throw failure(ServiceLink.advice(name, text, option: option)) }
        throw ValidationError("\(name) must be \(expected), not \"\(text)\"")
    }
    return value
}

/// Returns whether a flag is given, or its variable is 1 or true.
func resolved(_ flag: Bool, _ option: String) throws -> Bool {
    if flag { return true }
    let name = variable(option)
    switch environment(name)?.lowercased() {
    case nil, "0", "false": return false
    case "1", "true": return true
    case let text?: throw ValidationError("\(name) must be 1, true, 0 or false, not \"\(text)\"")
    }
}

/// `max-body-bytes` → `PERCEPTION_MAX_BODY_BYTES`
func variable(_ option: String) -> String {
    "PERCEPTION_" + option.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
}

/// An empty variable counts as absent, because compose files omit variables in this way.
func environment(_ name: String) -> String? {
    guard let text = unsafe getenv(name) else { return nil }
    let value = unsafe String(cString: text)
    return value.isEmpty ? nil : value
}
