/// Memory for all requests in flight – their bodies, what their work takes, their answers – handed out before it is used.
final class MemoryBudget: Sendable {
    let total: Int
    /// What a refusal tells the client to wait.
    private let retryAfter: Duration
    private let used = Monitor(0)

    init(total: Int, retryAfter: Duration) {
        self.total = total
        self.retryAfter = retryAfter
    }

    var claimed: Int { used.withLock { $0 } }

    /// Adds `bytes` to what a holder of `held` bytes has.
    ///
    /// - Returns: nil when they are granted; why not when others hold too much, or when they would not fit into an empty
    ///   budget.
    func claim(_ bytes: Int, holding held: Int) -> Refusal? {
        used.withLock { used in
            let whole = held.addingReportingOverflow(bytes)
            if whole.overflow || whole.partialValue > total {
                return .memoryInsufficient(needed: whole.overflow ? .max : whole.partialValue, budget: total)
            }
            if bytes > total - used {
                return .memoryTaken(
                    needed: whole.partialValue, free: max(0, total - used), budget: total,
                    retryAfter: retryAfter)
            }
            used += bytes
            return nil
        }
    }

    /// Counts what is there already, whether it fits or not.
    func add(_ bytes: Int) {
        used.withLock { $0 += bytes }
    }

    func release(_ bytes: Int) {
        used.withLock { $0 -= bytes }
    }
}
