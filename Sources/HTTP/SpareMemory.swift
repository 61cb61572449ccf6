/// Gives freed memory back to the system where much of it waits for the next request. Each thread has a heap of its own,
/// so that what waits in all of them could otherwise be several times the budget.
///
/// While there is work, what is freed may wait within the budget: no more is resident than might be claimed. That is
/// looked after whenever so much has been granted that it may have changed, as requests that follow one another quickly
/// leave hundreds of megabytes within a fraction of a second. Now and then most of what no request has claimed goes. And
/// once a minute all that has gathered goes: heaps that mixed requests fill and leave in pieces would otherwise take
/// hours to find their size, which looks like a leak.
struct SpareMemory {
    /// At most so much may wait for long.
    let allowed: Int
    private let budget: Int
    /// What was resident after the last time: in use, or between blocks in use.
    private var left = 0
    private var lastGiven = Moment.now

    /// So much is granted between two looks.
    static func step(of budget: Int) -> Int { max(8 << 20, budget / 64) }

    private static let pause = Duration.milliseconds(200)
    private static let sweep = Duration.seconds(60)
    /// Less than this is not worth the milliseconds.
    private static let worthwhile = 4 << 20

    init(budget: Int) {
        self.budget = budget
        allowed = max(64 << 20, budget / 8)
    }

    /// Starts a thread that looks until the budget of `core` is closed. A server without a budget has none: it knows nothing
    /// of what another one in the process has claimed or may keep.
    static func watch(_ core: ServerCore) throws(ThreadError) {
        let configuration = core.configuration
        guard configuration.memoryBudgetBytes > 0 else { return }
        try PosixThread.start(named: "memory") {
            var spare = SpareMemory(budget: configuration.memoryBudgetBytes)
            while core.memory.waitForTurnover(atMost: pause) {
                let connections = core.connectionCount * configuration.connectionMemoryBytes
                spare.look(besides: core.memory.claimed, connections: connections)
            }
        }
    }

    /// - Parameter connections: what open connections keep, which is theirs.
    private mutating func look(besides claimed: Int, connections: Int) {
        guard let resident = ProcessMemory.resident,
            isTooMuch(resident - connections, claimed: claimed, now: .now)
        else { return }
        ProcessMemory.giveBack()
        gaveBack(leaving: (ProcessMemory.resident ?? 0) - connections, now: .now)
    }

    /// Whether it is worth giving back. What could not be given back is not tried again at every step, only after a pause:
    /// each time takes milliseconds.
    func isTooMuch(_ resident: Int, claimed: Int, now: Moment) -> Bool {
        let age = now - lastGiven
        if age >= Self.sweep, resident > left + Self.worthwhile { return true }
        if age >= Self.pause { return resident > budget || resident - claimed > allowed }
        return resident > max(budget, left + allowed / 4)
    }

    mutating func gaveBack(leaving resident: Int, now: Moment) {
        left = resident
        lastGiven = now
    }
}
