import Dispatch
import Foundation
import Locking
import Parallelism
import Testing

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
}
