import Service
import Testing

/// A request that is wrong in one way, and what must be said of it.
struct WrongRequest: Sendable, CustomTestStringConvertible {
    let kind: Problem.Kind
    let path: String
    let body: String
    var field: String?
    var index: [Int]?
    var byte: Int?

    init(
        _ kind: Problem.Kind, _ path: String, _ body: String, field: String? = nil, index: [Int]? = nil,
        byte: Int? = nil
    ) {
        self.kind = kind
        self.path = path
        self.body = body
        self.field = field
        self.index = index
        self.byte = byte
    }

    var testDescription: String { "\(kind.rawValue) \(path) \(body.prefix(120))" }

    /// Two rows of two tokens that are right but for what is put in place of, or beside, their members.
    static func columnar(
        _ kind: Problem.Kind, _ changes: [(String, String?)], field: String? = nil, index: [Int]? = nil,
        query: String = ""
    ) -> WrongRequest {
        var members = [
            ("original.log_probs", "[[-1,-2],[-3,-4]]"), ("preserving.log_probs", "[[-1,-2],[-3,-4]]"),
            ("removing.log_probs", "[[-2,-3],[-4,-5]]"), ("original.entropy", "[[1,1],[1,1]]"),
            ("removing.entropy", "[[2,2],[2,2]]"), ("advantages", "[1,-1]"),
        ]
        for (name, text) in changes {
            members.removeAll { $0.0 == name }
            if let text { members.append((name, text)) }
        }
        let text = "{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
        return WrongRequest(kind, "/v1/score\(query)", text, field: field, index: index)
    }
}
