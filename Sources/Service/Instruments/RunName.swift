import HTTP
import HTTPTypes
import Observability

/// The training run a request belongs to, as its caller names it in `Perception-Run`: a label of training signals and
/// a field of log records.
///
/// A training step must not fail for a label's sake, so what is no name is no error: it counts as ``other``, and the
/// answer says so in `Perception-Run-Status`.
struct RunName: Sendable, Equatable {
    let text: String

    /// Of requests that name none.
    static let none = RunName(text: "none")
    /// Of all whose name can't be one.
    static let other = RunName(text: LabelPool.overflow)
    static let longest = 64

    private init(text: String) { self.text = text }

    /// Nil when the request names none.
    init?(_ head: RequestHead) {
        guard let text = head.headers[.perceptionRun] else { return nil }
        self.text = RunName.flaw(text) == nil ? text : RunName.other.text
    }

    /// Why a text is no name: it has not 1…64 characters, or others than ASCII letters, digits and `._:/-`, which are
    /// safe in a metric's label, a log record and a shell.
    private static func flaw(_ text: String) -> String? {
        guard (1...longest).contains(text.utf8.count) else {
            return "\(text.utf8.count) bytes; 1 to \(longest) are taken"
        }
        let place = text.utf8.enumerated().first { !isAllowed($0.element) }?.offset
        return place.map { "byte \($0) is none of A-Z a-z 0-9 . _ : / -" }
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "._:/-".utf8.contains(byte)
        }
    }

    /// For every answer: nothing, or that the run's name was none and why. A list of one item with a parameter
    /// (RFC 9651); it repeats nothing that the client sent.
    static func status(_ head: RequestHead) -> HTTPFields {
        guard let text = head.headers[.perceptionRun], let flaw = flaw(text) else { return [:] }
        return [.perceptionRunStatus: "\(other.text);reason=\"\(flaw)\""]
    }
}
