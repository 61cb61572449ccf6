import Glibc
import Locking

/// Threads that help whoever has calls to share out, one fewer than there are cores: the caller is the other one.
///
/// They are threads of our own, made once. A library that makes its threads when it needs them, as libdispatch does, waits
/// for ever when the system has no more (`ulimit -u`, a limit of the container). Here, callers find fewer helpers, or none,
/// and make the calls themselves.
package final class HelperThreads: Sendable {
    /// For threads that are as urgent as the process.
    static let ordinary = HelperThreads(ThreadUrgency.coreCount - 1, named: "helper", lowered: false)
    /// For threads that yield to those: its helpers yield, too.
    static let yielding = HelperThreads(ThreadUrgency.coreCount - 1, named: "long-helper", lowered: true)

    private let runs = Monitor([SharedRun]())
    /// How many there are.
    let count: Int
    private let missing: ThreadError?

    /// - Parameter start: makes a thread.
    init(
        _ wanted: Int, named name: String, lowered: Bool,
        start: (String, @escaping @Sendable () -> Void) throws(ThreadError) -> Void = {
            name, body throws(ThreadError) in try PosixThread.start(named: name, body)
        }
    ) {
        var count = 0
        var missing: ThreadError?
        let runs = runs
        while count < wanted, missing == nil {
            do throws(ThreadError) {
                try start("\(name)-\(count)") {
                    if lowered { ThreadUrgency.lower() }
                    Self.help(runs)
                }
                count += 1
            } catch {
                missing = error
            }
        }
        self.count = count
        self.missing = missing
    }

    /// Makes them all now, instead of when they are first needed.
    /// - Throws: when the system has not enough threads.
    package static func start() throws(ThreadError) {
        for helpers in [ordinary, yielding] {
            if let missing = helpers.missing { throw missing }
        }
    }

    /// Calls `body` with 0..<count, here and on helpers that have nothing else to do.
    func perform(_ count: Int, _ body: @Sendable (Int) -> Void) {
        withoutActuallyEscaping(body) { body in
            let run = SharedRun(count, body)
            runs.withLock(waking: .everybody) { $0.append(run) }
            run.takeCalls(body)
            runs.withLock { runs in runs.removeAll { $0 === run } }
            run.close()
        }
    }

    private static func help(_ runs: Monitor<[SharedRun]>) -> Never {
        while true {
            // Those who have fewest first: each caller works on its own calls anyway.
            runs.wait { runs in runs.filter(\.hasCallsLeft).min { $0.helperCount < $1.helperCount } }.help()
        }
    }
}
