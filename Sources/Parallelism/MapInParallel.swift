import Locking

/// The number of operations below which a loop runs on the calling thread, about a tenth of a millisecond. Distributing
/// calls takes some tens of microseconds, and gains nothing while all threads are busy.
private let leastOperations = 500_000

/// Maps 0..<count over all cores. The calls are independent and results stay in order, so the outcome does not depend
/// on the number of cores.
/// - Parameter operations: the approximate number of arithmetic operations of all calls together.
/// - Complexity: count calls, in chunks that are distributed as threads become free.
package func mapInParallel<Result: Sendable>(
    _ count: Int, operations: Int, _ body: @Sendable (Int) -> Result
) -> [Result] {
    // A few chunks for each core balance calls of different cost.
    let chunks = min(count, 16)
    guard chunks > 1, operations > leastOperations else { return (0..<count).map(body) }
    let parts = Monitor([[Result]](repeating: [], count: chunks))
    performInParallel(chunks, operations: operations) { chunk in
        let part = (count * chunk / chunks..<count * (chunk + 1) / chunks).map(body)
        parts.withLock { $0[chunk] = part }
    }
    return parts.withLock { $0 }.flatMap { $0 }
}

/// Calls `body` with 0..<count over all cores, in any order. No call may access what another one writes.
///
/// On a thread of low priority the helpers have low priority, too. A thread for short work gets no help.
/// - Parameter operations: about how many arithmetic operations all calls together take.
package func performInParallel(_ count: Int, operations: Int, _ body: @Sendable (Int) -> Void) {
    let helpers: HelperThreads? =
        switch ThreadUrgency.current {
        case .ordinary: .ordinary
        case .low: .yielding
        case .short: nil
        }
    guard count > 1, operations > leastOperations, let helpers else {
        for index in 0..<count { body(index) }
        return
    }
    helpers.perform(count, body)
}
