import Synchronization

/// The part of the budget that one request holds.
///
/// Every user of the memory holds the share, and the last one to release it returns the memory. A client that leaves
/// therefore does not free memory that a worker still uses. Only one of them changes the share at a time: the I/O
/// thread until it submits the request to a worker, then that worker, then the I/O thread again, or the holder of the
/// lock of the reply's stream.
final class MemoryShare: Sendable {
    let budget: MemoryBudget
    private let claimed = Atomic(0)

    init(of budget: MemoryBudget) {
        self.budget = budget
    }

    deinit {
        release()
    }

    var total: Int { budget.total }
    var bytes: Int { claimed.load(ordering: .relaxed) }

    /// Claims what is missing to `bytes`. Never returns memory.
    func extend(to bytes: Int) -> Refusal? {
        let held = self.bytes
        guard bytes > held else { return nil }
        if let refusal = budget.claim(bytes - held, holding: held) { return refusal }
        claimed.store(bytes, ordering: .relaxed)
        return nil
    }

    /// Adopts bytes that the budget granted to a waiting claim.
    func adopt(_ bytes: Int) {
        claimed.add(bytes, ordering: .relaxed)
    }

    /// Sets the bytes to hold from now on, which may be more or fewer than before.
    func settle(at bytes: Int) {
        let held = self.bytes
        if bytes > held { budget.add(bytes - held) }
        if bytes < held { budget.release(held - bytes) }
        claimed.store(bytes, ordering: .relaxed)
    }

    func release() {
        settle(at: 0)
    }
}
