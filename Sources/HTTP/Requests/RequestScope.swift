/// The server's services to the work on a complete request: memory, and whether the result is still wanted.
package struct RequestScope: Sendable {
    private let share: MemoryShare?
    /// Held for the body.
    private let bodyBytes: Int
    private let wanted: @Sendable () -> Bool

    init(_ share: MemoryShare, wanted: @escaping @Sendable () -> Bool) {
        self.share = share
        bodyBytes = share.bytes
        self.wanted = wanted
    }

    /// A scope without a server: unlimited memory, and the result is always wanted.
    package static let unbounded = RequestScope()

    private init() {
        share = nil
        bodyBytes = 0
        wanted = { true }
    }

    /// Claims memory in addition to the body's before it is allocated. `bytes` is the total, so a later and better
    /// estimate replaces an earlier one. The memory returns when the answer has been sent, or when the work for a
    /// client that has left is over.
    ///
    /// - Returns: nil if it is granted; otherwise the refusal to answer with, because others hold the memory or it
    ///   can never fit.
    package func claim(_ bytes: Int) -> Refusal? {
        share?.extend(to: bytes > .max - bodyBytes ? .max : bodyBytes + bytes)
    }

    /// A Boolean value indicating whether the client still waits for the answer: it is connected, and its deadline
    /// has not passed. If not, any answer will do. Each read costs a system call: check once for each millisecond of
    /// work, not for each number. Light work, done in place, is always wanted.
    package var isWanted: Bool { wanted() }
}
