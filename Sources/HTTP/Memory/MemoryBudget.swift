import Locking

/// The memory for all requests in flight: bodies, work and answers. Requests claim it before they allocate.
final class MemoryBudget: Sendable {
    let total: Int
    /// The wait that a refusal suggests to the client.
    private let retryAfter: Duration
    /// See ``waitForTurnover(atMost:)``.
    private let turnoverStep: Int
    private let state = Monitor(State())

    private struct State {
        var used = 0
        /// The bytes granted since the last wait for turnover.
        var turnover = 0
        var isClosed = false
        var waiting: [Waiting] = []
        var tickets = 0
    }

    /// A streamed reply may hold the budget divided by this ahead of its client.
    static let oneReplyDivisor = 4
    /// Claims up to the budget divided by this overtake waiting ones, because they hardly delay them.
    private static let littleDivisor = 64

    /// Identifies a waiting claim.
    struct Ticket: Equatable { fileprivate let number: Int }

    private struct Waiting {
        let ticket: Ticket
        let bytes: Int
        let since: Moment
        let told: @Sendable (Bool) -> Void
    }

    /// - Parameter turnoverStep: the number of granted bytes after which ``waitForTurnover(atMost:)`` returns.
    init(total: Int, retryAfter: Duration, turnoverStep: Int = .max) {
        self.total = total
        self.retryAfter = retryAfter
        self.turnoverStep = turnoverStep
    }

    var claimed: Int { state.withLock { $0.used } }

    /// Claims `bytes` more for a holder of `held` bytes.
    ///
    /// - Returns: nil if they are granted; otherwise the refusal, because others hold too much or an empty budget
    ///   would be too small.
    func claim(_ bytes: Int, holding held: Int) -> Refusal? {
        let (refusal, isTurnedOver) = state.withLock { state -> (Refusal?, Bool) in
            let whole = held.addingReportingOverflow(bytes)
            if whole.overflow || whole.partialValue > total {
                return (
                    .memoryInsufficient(needed: whole.overflow ? .max : whole.partialValue, budget: total),
                    false
                )
            }
            // Returned memory goes to the first in the queue.
            let kept = bytes > total / Self.littleDivisor ? state.waiting.first?.bytes ?? 0 : 0
            if bytes > total - state.used - kept {
                return (
                    .memoryInUse(
                        needed: whole.partialValue, free: max(0, total - state.used - kept), budget: total,
                        retryAfter: retryAfter), false
                )
            }
            state.used += bytes
            let before = state.turnover
            state.turnover = before &+ bytes
            return (nil, before < turnoverStep && state.turnover >= turnoverStep)
        }
        // Signalled once for each step, because claims are frequent.
        if isTurnedOver { state.withLock(waking: .everybody) { _ in } }
        return refusal
    }

    /// Waits until a step's worth of bytes has been granted since the last call.
    ///
    /// - Returns: false once the budget is closed.
    func waitForTurnover(atMost limit: Duration) -> Bool {
        let isTurnedOver = state.wait(atMost: limit) { state -> Bool? in
            guard state.isClosed || state.turnover >= turnoverStep else { return nil }
            return !state.isClosed
        }
        state.withLock { $0.turnover = 0 }
        return isTurnedOver ?? true
    }

    /// Ends the waiting.
    func close() {
        state.withLock(waking: .everybody) { $0.isClosed = true }
    }

    /// Counts memory that is already in use, even if it exceeds the budget.
    func add(_ bytes: Int) {
        state.withLock { $0.used += bytes }
    }

    func release(_ bytes: Int) {
        change { $0.used -= bytes }
    }

    /// Waits in turn until `bytes` are available.
    /// - Parameter told: called with true when the bytes are granted, with false when ``refuse(waitingSince:)`` refuses
    ///   them. The call may come immediately or on a thread that returns memory, so it must not acquire a lock that is
    ///   held during calls of this class.
    func wait(for bytes: Int, _ told: @escaping @Sendable (Bool) -> Void) -> Ticket {
        change { state in
            state.tickets += 1
            let ticket = Ticket(number: state.tickets)
            state.waiting.append(Waiting(ticket: ticket, bytes: bytes, since: .now, told: told))
            return ticket
        }
    }

    func stopWaiting(_ ticket: Ticket) {
        change { state in state.waiting.removeAll { $0.ticket == ticket } }
    }

    /// Refuses the claims that have waited since before `moment`.
    func refuse(waitingSince moment: Moment) {
        let refused = state.withLock { state in
            let refused = state.waiting.filter { $0.since < moment }
            state.waiting.removeAll { $0.since < moment }
            return refused
        }
        for waiting in refused { waiting.told(false) }
        if !refused.isEmpty { change { _ in } }
    }

    /// Changes the state, then grants the waiting claims that fit.
    private func change<Result>(_ body: (inout State) -> Result) -> Result {
        let (result, granted) = state.withLock { state in
            let result = body(&state)
            var granted: [Waiting] = []
            while let first = state.waiting.first, first.bytes <= total - state.used {
                state.used += first.bytes
                granted.append(state.waiting.removeFirst())
            }
            return (result, granted)
        }
        for waiting in granted { waiting.told(true) }
        return result
    }
}
