/// Claims memory for one request's body as it arrives.
struct BodyMemory {
    let share: MemoryShare
    private var follows = Follows.nothing
    /// No body is longer than it declares.
    private var ceiling = Int.max

    /// The most to claim before a byte arrives. With more, a few clients that declare bodies and never send them
    /// could take the whole budget.
    private static let opening = 4 << 20

    private enum Follows {
        case nothing, body, sink
    }

    init(_ share: MemoryShare) {
        self.share = share
    }

    /// Claims what the sink needs at first. Refuses a body that can never fit before any of it is read. Other bodies
    /// claim as they arrive.
    mutating func claim(for sink: any BodySink, _ head: RequestHead) -> Refusal? {
        switch sink.memory {
        case .wholeBody:
            follows = .body
            ceiling = head.contentLength ?? .max
            if let declared = head.contentLength, declared > share.total {
                return .memoryInsufficient(needed: declared, budget: share.total)
            }
            return share.extend(to: min(head.contentLength ?? 0, BodyMemory.opening))
        case .fixed(let bytes):
            return share.extend(to: bytes)
        case .held(let bytes):
            follows = .sink
            return grow(to: bytes)
        }
    }

    /// Call before a piece goes to the sink.
    func bodyArrives(_ received: Int) -> Refusal? {
        follows == .body ? grow(to: received) : nil
    }

    /// Call after a piece has gone to the sink.
    func sinkHolds(_ memory: @autoclosure () -> MemoryClaim) -> Refusal? {
        guard follows == .sink, case .held(let bytes) = memory() else { return nil }
        return grow(to: bytes)
    }

    /// Claims ahead in steps, so that not every piece locks the budget.
    private func grow(to bytes: Int) -> Refusal? {
        guard bytes > share.bytes else { return nil }
        // If the budget cannot cover a step ahead, claim exactly what has arrived.
        return share.extend(to: min(ceiling, bytes + bytes / 4 + 1 << 20)) == nil
            ? nil : share.extend(to: bytes)
    }
}
