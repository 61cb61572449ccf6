/// What the work on a complete request may ask of the server that runs it.
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

    /// Of work that no server runs: as much memory as there is, and always wanted.
    package static let unbounded = RequestScope()

    private init() {
        share = nil
        bodyBytes = 0
        wanted = { true }
    }

    /// Claims memory beside the body's before it is used: `bytes` altogether, so that a later and better estimate
    /// replaces an earlier one. It is given back when the answer has been sent, or the work has ended for a client that
    /// has gone.
    ///
    /// - Returns: nil when it is granted; the refusal to answer with when others hold it, or when it would never fit.
    package func claim(_ bytes: Int) -> Refusal? {
        share?.extend(to: bytes > .max - bodyBytes ? .max : bodyBytes + bytes)
    }

    /// Whether someone still waits for the answer of a worker: the client is there and its deadline has not passed. Without,
    /// any answer will do. It costs a system call: ask every millisecond of work, not for every number. Light work, done
    /// in place, is always wanted.
    package var isWanted: Bool { wanted() }
}
