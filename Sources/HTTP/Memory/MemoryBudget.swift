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
        /// Granted since somebody last waited for it.
        var turnover = 0
        var isClosed = false
        var waiting: [Waiting] = []
        var tickets = 0
    }

    /// The fraction of the budget by which a streamed reply may be ahead of its client.
    static let oneReplyDivisor = 4
    /// Claims up to this fraction of the budget overtake waiting ones, because they hardly delay them.
    private static let littleDivisor = 64

    /// Names somebody who waits.
    struct Ticket: Equatable { fileprivate let number: Int }

    private struct Waiting {
        let ticket: Ticket
        let bytes: Int
        let since: Moment
        let told: @Sendable (Bool) -> Void
    }

    /// - Parameter turnoverStep: how much is granted before who waits for that is woken.
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
            // What is given back goes to who waits for it first.
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
        // Once for each step: claims are many, and who waits has little to do.
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

    /// Counts memory that is already in use, whether it fits or not.
    func add(_ bytes: Int) {
        state.withLock { $0.used += bytes }
    }

    func release(_ bytes: Int) {
        change { $0.used -= bytes }
    }

    /// Waits in turn until `bytes` are available.
    /// - Parameter told: called with true when they are granted, with false when ``refuse(waitingSince:)`` refuses
    ///   them. The call may happen at once, or on a thread that returns memory: it must take no lock that is held
    ///   during a call of this class.
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

    /// Gives up on those that have waited since before `moment`.
    func refuse(waitingSince moment: Moment) {
        let refused = state.withLock { state in
            let refused = state.waiting.filter { $0.since < moment }
            state.waiting.removeAll { $0.since < moment }
            return refused
        }
        for waiting in refused { waiting.told(false) }
        if !refused.isEmpty { change { _ in } }
    }

    /// Changes the state, and grants what can then be granted.
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
