import Locking
import Parallelism

/// Ends connections that are too slow. libmicrohttpd only measures inactivity, which one byte a second defeats.
enum Reaper {
    /// Starts a thread that looks after the connections of `core` until its server stops.
    static func start(for core: ServerCore) throws(ThreadError) {
        let limits = TimeLimits(core.configuration)
        // Often enough to be an eighth late at most, seldom enough not to be noticed.
        let shortest = min(limits.header, limits.idle, limits.transferBase)
        let tick = max(.milliseconds(5), min(.milliseconds(250), shortest / 8))
        try PosixThread.start(named: "reaper") {
            var lastLook = Moment.now
            while core.reaping.wait(atMost: tick, { $0 ? nil : true }) == nil {
                let now = Moment.now
                // Later than that, the process was stopped or starved, and what clients have sent in time waits to be read:
                // it has been at the next look.
                if now - lastLook < tick + .seconds(1) { core.reap(limits) }
                lastLook = now
            }
        }
    }
}
