import HTTP
import HTTPTypes

/// What a client has already (RFC 9110, section 13.1.2).
enum Precondition {
    /// Whether `If-None-Match` names this strong validator, so that 304 is the answer.
    static func isCurrent(_ entityTag: String, _ head: RequestHead) -> Bool {
        let values = head.headers[values: .ifNoneMatch].flatMap { $0.split(separator: ",") }
        return values.contains { value in
            let tag = value.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }
                .reversed()
            let text = String(tag)
            // The comparison is the weak one, since only the same bytes have the same tag here.
            return text == "*" || text == entityTag || text == "W/" + entityTag
        }
    }
}
