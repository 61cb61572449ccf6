import HTTP
import HTTPTypes

/// The copy that a client already has (RFC 9110, section 13.1.2).
enum Precondition {
    /// Returns whether `If-None-Match` names this strong validator, so that the answer is 304.
    static func isCurrent(_ entityTag: String, _ head: RequestHead) -> Bool {
        let values = head.headers[values: .ifNoneMatch].flatMap { $0.split(separator: ",") }
        return values.contains { value in
            let tag = value.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }
                .reversed()
            let text = String(tag)
            // The comparison is weak, because here equal tags always mean equal bytes.
            return text == "*" || text == entityTag || text == "W/" + entityTag
        }
    }
}
