/// One request's share of the memory budget.
struct BodyMemory {
    private let budget: MemoryBudget
    private let retryAfter: Duration
    private var claimed = 0
    private var followsBody = false

    init(_ budget: MemoryBudget, retryAfter: Duration) {
        self.budget = budget
        self.retryAfter = retryAfter
    }

    /// Claims what the sink needs before any of the body is read.
    mutating func claim(for sink: any BodySink, _ head: RequestHead) -> Refusal? {
        switch sink.memory {
        case .wholeBody:
            followsBody = head.framing == .chunked
            return extend(to: head.contentLength ?? 0)
        case .fixed(let bytes):
            return extend(to: bytes)
        }
    }

    /// Claims for a chunked body ahead and in steps, so that the budget is not locked for every chunk.
    mutating func grow(to received: Int) -> Refusal? {
        guard followsBody, received > claimed else { return nil }
        // What has arrived needs no more than itself where there is no room ahead.
        return extend(to: received + 1 << 20) == nil ? nil : extend(to: received)
    }

    mutating func release() {
        budget.release(claimed)
        claimed = 0
        followsBody = false
    }

    private mutating func extend(to bytes: Int) -> Refusal? {
        switch budget.claim(bytes - claimed, holding: claimed) {
        case .granted:
            claimed = bytes
            return nil
        case .taken(let free):
            return .memoryTaken(needed: bytes, free: free, budget: budget.total, retryAfter: retryAfter)
        case .insufficient:
            return .memoryInsufficient(needed: bytes, budget: budget.total)
        }
    }
}
