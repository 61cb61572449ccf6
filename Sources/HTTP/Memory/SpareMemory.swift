import Parallelism
import ProcessFacts

/// Returns freed memory to the system when too much of it waits for the next request. Each thread has a heap of its
/// own, and together they could otherwise keep several times the budget.
///
/// Under load, freed memory may wait as long as the resident memory stays within the budget. This is checked each time
/// a certain amount has been granted, because a burst of requests leaves hundreds of megabytes within a fraction of a
/// second. From time to time most of the unclaimed memory is returned.
///
/// Once a minute the heaps are swept: for a second they keep nothing. Otherwise each heap would stay at its largest
/// size. The heaps rarely reach that size at the same time, so resident memory would grow for hours as if it leaked.
struct SpareMemory {
    /// The most memory that may wait for long.
    let allowed: Int
    private let budget: Int
    /// The resident memory after the last return: blocks in use and the gaps between them.
    private var left = 0
    private var lastGiven = Moment.now
    private var sweep = Sweep.next(at: Moment.now + betweenSweeps)

    private enum Sweep {
        case next(at: Moment)
        case running(until: Moment)
    }

    enum Action {
        case giveBack, beginSweep, endSweep
    }

    /// The number of granted bytes between two checks.
    static func step(of budget: Int) -> Int { max(8 << 20, budget / 64) }

    private static let pause = Duration.milliseconds(200)
    private static let betweenSweeps = Duration.seconds(60)
    private static let sweepLength = Duration.seconds(1)

    init(budget: Int) {
        self.budget = budget
        allowed = max(64 << 20, budget / 8)
    }

    /// Starts a thread that checks until the budget of `core` is closed. A server without a budget has no such thread,
    /// because it does not know what another server of the process has claimed or may keep.
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

    /// - Parameter connections: the bytes that open connections keep. They do not count as spare.
    private mutating func look(besides claimed: Int, connections: Int) {
        guard let resident = ProcessMemory.resident,
            let action = next(resident - connections, claimed: claimed, now: .now)
        else { return }
        switch action {
        case .giveBack: ProcessMemory.giveBack()
        case .beginSweep:
            ProcessMemory.giveBackHeapEnds()
            ProcessMemory.giveBack()
        case .endSweep: ProcessMemory.keepHeapEnds()
        }
        took(action, leaving: (ProcessMemory.resident ?? 0) - connections, now: .now)
    }

    /// Returns what is worth doing now. An unsuccessful return is repeated only after a pause, because each one takes
    /// milliseconds.
    func next(_ resident: Int, claimed: Int, now: Moment) -> Action? {
        switch sweep {
        case .next(let moment) where now >= moment: return .beginSweep
        case .running(let moment) where now >= moment: return .endSweep
        default: break
        }
        let isTooMuch =
            now - lastGiven >= Self.pause
            ? resident > budget || resident - claimed > allowed
            : resident > max(budget, left + allowed / 4)
        return isTooMuch ? .giveBack : nil
    }

    mutating func took(_ action: Action, leaving resident: Int, now: Moment) {
        left = resident
        lastGiven = now
        switch action {
        case .giveBack: break
        case .beginSweep: sweep = .running(until: now + Self.sweepLength)
        case .endSweep: sweep = .next(at: now + Self.betweenSweeps)
        }
    }
}
