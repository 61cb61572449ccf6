/// Memory for all bodies in flight, handed out before it is used.
final class MemoryBudget: Sendable {
    let total: Int
    private let used = Monitor(0)

    init(total: Int) {
        self.total = total
    }

    var claimed: Int { used.withLock { $0 } }

    enum Verdict: Equatable {
        case granted
        /// Would fit once others have given theirs back.
        case taken(free: Int)
        /// Would not fit into an empty budget.
        case insufficient
    }

    /// Adds `bytes` to what a holder of `held` bytes has.
    func claim(_ bytes: Int, holding held: Int = 0) -> Verdict {
        used.withLock { used in
            if held + bytes > total { return .insufficient }
            if bytes > total - used { return .taken(free: total - used) }
            used += bytes
            return .granted
        }
    }

    func release(_ bytes: Int) {
        used.withLock { $0 -= bytes }
    }
}
