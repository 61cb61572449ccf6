import Locking

/// Handing calls out takes some tens of microseconds, and a service whose threads are all busy gains nothing by it: less
/// work than this, a tenth of a millisecond or so, is done in place.
private let leastOperations = 500_000

/// Maps 0..<count over all cores; each call is independent, and results stay in order, so the outcome doesn't depend on
/// how many cores there are.
/// - Parameter operations: about how many arithmetic operations all calls together take.
/// - Complexity: count calls, in chunks that are handed out as threads become free.
package func mapInParallel<Result: Sendable>(
    _ count: Int, operations: Int, _ body: @Sendable (Int) -> Result
) -> [Result] {
    // A few chunks for each core even out calls of different cost.
    let chunks = min(count, 16)
    guard chunks > 1, operations > leastOperations else { return (0..<count).map(body) }
    let parts = Monitor([[Result]](repeating: [], count: chunks))
    performInParallel(chunks, operations: operations) { chunk in
        let part = (count * chunk / chunks..<count * (chunk + 1) / chunks).map(body)
        parts.withLock { $0[chunk] = part }
    }
    return parts.withLock { $0 }.flatMap { $0 }
}

/// Calls `body` with 0..<count over all cores, in any order; the calls must not touch what others write.
///
/// Called from a thread that yields to others, the threads that help yield as well; one that does short work has no help.
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
