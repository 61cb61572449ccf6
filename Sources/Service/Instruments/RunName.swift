import HTTP
import HTTPTypes

/// The training run a request belongs to, as its caller names it in `Perception-Run`: a label of training signals and
/// a field of log records.
struct RunName: Sendable, Equatable {
    let text: String

    /// Of requests that name none.
    static let none = RunName(text: "none")
    static let longest = 64

    private init(text: String) { self.text = text }

    /// Nil when the field is there and is no name: 1…64 ASCII letters, digits and `._:/-`, safe in a metric's label, a
    /// log record and a shell.
    init?(_ head: RequestHead) {
        guard let text = head.headers[.perceptionRun] else {
            self = .none
            return
        }
        let isName = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "._:/-".utf8.contains(byte)
            }
        }
        guard isName, (1...RunName.longest).contains(text.utf8.count) else { return nil }
        self.text = text
    }

    /// The answer to a request whose run has no valid name; nil when it may pass.
    static func refusal(_ head: RequestHead) -> Response? {
        guard RunName(head) == nil else { return nil }
        return Problem(
            .invalidValue,
            Problem.Reason(
                "not a run's name", field: "Perception-Run",
                expected: "1 to \(longest) ASCII letters, digits and . _ : / -",
                found: head.headers[.perceptionRun]?.clipped(to: 80))
        ).response(requestID: head.requestID)
    }
}
