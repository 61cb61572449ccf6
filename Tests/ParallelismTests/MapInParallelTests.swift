import Dispatch
import Foundation
import Glibc
import Locking
import Testing

@testable import Parallelism

@Suite struct MapInParallelTests {
    @Test(
        "Results keep their order, one for each call, in line and over threads",
        arguments: [0, 1, 2, 15, 16, 17, 31, 33, 1000, 4097], [1, 1_000_000])
    func order(_ count: Int, _ operations: Int) {
        #expect(mapInParallel(count, operations: operations) { $0 } == Array(0..<count))
    }

    @Test("Parallel maps may nest")
    func nesting() {
        let sums = mapInParallel(40, operations: .max) { outer in
            mapInParallel(40, operations: .max) { $0 * outer }.reduce(0, +)
        }
        #expect(sums == (0..<40).map { $0 * 780 })
    }

    @Test("Every call is made exactly once", arguments: [0, 1, 2, 17, 1000], [1, Int.max])
    func calls(_ count: Int, _ operations: Int) {
        let seen = Monitor([Int](repeating: 0, count: count))
        performInParallel(count, operations: operations) { index in seen.withLock { $0[index] += 1 } }
        #expect(seen.withLock { $0 } == [Int](repeating: 1, count: count))
    }

    /// On a thread that yields, others help that yield too, and nothing else changes.
    @Test("A thread that yields has its calls made once, in maps that nest, without lasting trace")
    func yielding() {
        let done = DispatchSemaphore(value: 0)
        let found = Monitor((isLow: false, sums: [Int](), helpersAreLow: [Bool]()))
        let thread = Thread {
            ThreadUrgency.lower()
            let sums = mapInParallel(40, operations: .max) { outer in
                mapInParallel(40, operations: .max) { $0 * outer }.reduce(0, +)
            }
            let low = mapInParallel(64, operations: .max) { _ in ThreadUrgency.isLow }
            found.withLock { $0 = (ThreadUrgency.isLow, sums, low) }
            done.signal()
        }
        thread.start()
        done.wait()
        let (isLow, sums, helpersAreLow) = found.withLock { $0 }
        #expect(sums == (0..<40).map { $0 * 780 })
        #expect(isLow)
        #expect(helpersAreLow == [Bool](repeating: true, count: 64))
    }

    @Test("Where the system has no threads left, the caller makes all calls", arguments: [0, 1, 2])
    func withoutThreads(_ made: Int) throws {
        let threads = Monitor(0)
        let helpers = HelperThreads(
            3, named: "few", lowered: false,
            start: { name, body throws(ThreadError) in
                let mayStart = threads.withLock { count in
                    count += 1
                    return count <= made
                }
                guard mayStart else { throw ThreadError(errno: EAGAIN) }
                try PosixThread.start(named: name, body)
            })
        #expect(helpers.count == made)
        #expect(threads.withLock { $0 } == made + 1)
        let seen = Monitor([Int](repeating: 0, count: 100))
        helpers.perform(100) { index in seen.withLock { $0[index] += 1 } }
        #expect(seen.withLock { $0 } == [Int](repeating: 1, count: 100))
    }

    @Test("Short work is done by the thread that has it, which yields a little")
    func short() throws {
        let found = Monitor<(urgency: ThreadUrgency, threads: Set<UInt>, niceness: Int32)?>(nil)
        try PosixThread.start(named: "short") {
            ThreadUrgency.lower(to: .short)
            let threads = mapInParallel(64, operations: .max) { _ in UInt(pthread_self()) }
            found.withLock(waking: .everybody) {
                $0 = (ThreadUrgency.current, Set(threads), getpriority(__priority_which_t(0), 0))
            }
        }
        let (urgency, threads, niceness) = found.wait { $0 }
        #expect(urgency == .short)
        #expect(threads.count == 1)
        #expect(niceness > getpriority(__priority_which_t(0), id_t(getpid())) || niceness == 19)
    }
}
