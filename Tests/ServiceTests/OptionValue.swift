import JSON
import Testing

/// One value of an option, as a body and as a query write it.
struct OptionValue: Sendable, CustomTestStringConvertible {
    let name: String
    let json: JSONValue
    let query: String
    /// What the reply says, when it is not what was sent.
    let echo: JSONValue

    init(_ name: String, _ json: JSONValue, _ query: String, echo: JSONValue? = nil) {
        self.name = name
        self.json = json
        self.query = query
        self.echo = echo ?? json
    }

    var testDescription: String { "\(name)=\(query)" }
}
