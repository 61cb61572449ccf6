import Locking

/// Memory for all requests in flight – their bodies, what their work takes, their answers – handed out before it is used.
final class MemoryBudget: Sendable {
    let total: Int
    /// What a refusal tells the client to wait.
    private let retryAfter: Duration
    /// See ``waitForTurnover(atMost:)``.
    private let turnoverStep: Int
    private let state = Monitor(State())

    private struct State {
        var used = 0
        /// Granted since somebody last waited for it.
        var turnover = 0
        var isClosed = false
    }

    /// - Parameter turnoverStep: how much is granted before who waits for that is woken.
    init(total: Int, retryAfter: Duration, turnoverStep: Int = .max) {
        self.total = total
        self.retryAfter = retryAfter
        self.turnoverStep = turnoverStep
    }

    var claimed: Int { state.withLock { $0.used } }

    /// Adds `bytes` to what a holder of `held` bytes has.
    ///
    /// - Returns: nil when they are granted; why not when others hold too much, or when they would not fit into an empty
    ///   budget.
    func claim(_ bytes: Int, holding held: Int) -> Refusal? {
        let (refusal, isTurnedOver) = state.withLock { state -> (Refusal?, Bool) in
            let whole = held.addingReportingOverflow(bytes)
            if whole.overflow || whole.partialValue > total {
                return (
                    .memoryInsufficient(needed: whole.overflow ? .max : whole.partialValue, budget: total),
                    false
                )
            }
            if bytes > total - state.used {
                return (
                    .memoryTaken(
                        needed: whole.partialValue, free: max(0, total - state.used), budget: total,
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

    /// Counts what is there already, whether it fits or not.
    func add(_ bytes: Int) {
        state.withLock { $0.used += bytes }
    }

    func release(_ bytes: Int) {
        state.withLock { $0.used -= bytes }
    }
}
