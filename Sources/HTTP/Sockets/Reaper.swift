import Locking
import Parallelism

/// Ends connections that are too slow. libmicrohttpd only measures inactivity, which one byte a second defeats.
enum Reaper {
    /// Starts a thread that checks the connections of `core` until its server stops.
    static func start(for core: ServerCore) throws(ThreadError) {
        let limits = TimeLimits(core.configuration)
        // The interval keeps each limit within an eighth, and its cost is negligible.
        let shortest = min(limits.header, limits.idle, limits.transferBase)
        let tick = max(.milliseconds(5), min(.milliseconds(250), shortest / 8))
        try PosixThread.start(named: "reaper") {
            var lastLook = Moment.now
            while core.reaping.wait(atMost: tick, { $0 ? nil : true }) == nil {
                let now = Moment.now
                // If this check is later than that, the process was stopped or starved, and bytes that clients sent in
                // time wait to be read. They will have been read at the next check.
                if now - lastLook < tick + .seconds(1) { core.reap(limits) }
                lastLook = now
            }
        }
    }
}
