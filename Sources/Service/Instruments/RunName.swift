import HTTP
import HTTPTypes
import Observability

/// The training run of a request, which its client names in `Perception-Run`. It is a label of training signals and a
/// field of log records.
///
/// A training step must not fail because of a label. Therefore an invalid name is not an error: it counts as ``other``,
/// and the answer says so in `Perception-Run-Status`.
struct RunName: Sendable, Equatable {
    let text: String

    /// The label of requests that name no run.
    static let none = RunName(text: "none")
    /// The label of requests with an invalid name.
    static let other = RunName(text: LabelPool.overflow)
    static let longest = 64

    private init(text: String) { self.text = text }

    /// Nil if the request names none.
    init?(_ head: RequestHead) {
        guard let text = head.headers[.perceptionRun] else { return nil }
        self.text = RunName.flaw(text) == nil ? text : RunName.other.text
    }

    /// Returns the reason why a text is not a name. A name has 1…64 characters, which are ASCII letters, digits and
    /// `._:/-`. They are safe in metric labels, log records and shells.
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

    /// Returns the field for every answer: nothing, or why the run's name was ignored. It is a list of one item with a
    /// parameter (RFC 9651), and repeats nothing that the client sent.
    static func status(_ head: RequestHead) -> HTTPFields {
        guard let text = head.headers[.perceptionRun], let flaw = flaw(text) else { return [:] }
        return [.perceptionRunStatus: "\(other.text);reason=\"\(flaw)\""]
    }
}
