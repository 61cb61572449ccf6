/// Ends connections that are too slow, and gives spare memory back. libmicrohttpd only measures inactivity, which one
/// byte a second defeats.
enum Reaper {
    /// Starts a thread that looks after the connections of `core` until its server stops.
    static func start(for core: ServerCore) throws(ThreadError) {
        let limits = TimeLimits(core.configuration)
        // Often enough to be an eighth late at most, seldom enough not to be noticed.
        let shortest = min(limits.header, limits.idle, limits.transferBase)
        let tick = max(.milliseconds(5), min(.milliseconds(250), shortest / 8))
        let spare = spareMemory(core.configuration)
        try PosixThread.start(named: "reaper") {
            var lastLook = Moment.now
            while core.reaping.wait(atMost: tick, { $0 ? nil : true }) == nil {
                core.reap(limits)
                guard let spare, .now - lastLook >= .milliseconds(200) else { continue }
                ProcessMemory.giveBack(whatIsAbove: spare, besides: core.memory.claimed)
                lastLook = .now
            }
        }
    }

    /// How much freed memory the process may keep; nil for a server without a budget, which knows nothing of what another
    /// one in the process has claimed or may keep.
    static func spareMemory(_ configuration: ServerConfiguration) -> Int? {
        let budget = configuration.memoryBudgetBytes
        return budget > 0 ? max(64 << 20, budget / 8) : nil
    }
}
