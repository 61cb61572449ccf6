import Glibc
import Locking

/// Threads that help callers with parallel loops. There is one fewer than there are cores, because the caller works
/// too.
///
/// The threads are created once. A library that creates threads on demand, such as libdispatch, waits forever if the
/// system has no more (`ulimit -u`, a limit of the container). Here callers find fewer helpers, or none, and do the
/// calls themselves.
package final class HelperThreads: Sendable {
    /// Helpers for threads of ordinary priority.
    static let ordinary = HelperThreads(ThreadUrgency.coreCount - 1, named: "helper", lowered: false)
    /// Helpers for threads of low priority, which have low priority, too.
    static let yielding = HelperThreads(ThreadUrgency.coreCount - 1, named: "long-helper", lowered: true)

    private let runs = Monitor([SharedRun]())
    /// The number of helpers.
    let count: Int
    private let missing: ThreadError?

    /// - Parameter start: starts a thread.
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

    /// Creates all helpers now, instead of when they are first needed.
    /// - Throws: if the system has too few threads.
    package static func start() throws(ThreadError) {
        for helpers in [ordinary, yielding] {
            if let missing = helpers.missing { throw missing }
        }
    }

    /// Calls `body` with 0..<count, on this thread and on idle helpers.
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
            // Runs with the fewest helpers come first. Each caller works on its own calls anyway.
            runs.wait { runs in runs.filter(\.hasCallsLeft).min { $0.helperCount < $1.helperCount } }.help()
        }
    }
}
