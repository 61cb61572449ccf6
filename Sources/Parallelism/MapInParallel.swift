import Dispatch
import Synchronization

/// Maps 0..<count over all cores; each call is independent, and results stay in order, so the outcome doesn't depend on
/// how many cores there are.
/// - Parameter operations: about how many arithmetic operations all calls together take. Below some ten thousand,
///   handing them out would take longer than doing them.
/// - Complexity: count calls, in chunks that are handed out as threads become free.
package func mapInParallel<Result: Sendable>(
    _ count: Int, operations: Int, _ body: @Sendable (Int) -> Result
) -> [Result] {
    // A few chunks for each core even out calls of different cost.
    let chunks = min(count, 16)
    guard chunks > 1, operations > 20_000 else { return (0..<count).map(body) }
    let parts = Mutex([[Result]](repeating: [], count: chunks))
    DispatchQueue.concurrentPerform(iterations: chunks) { chunk in
        let part = (count * chunk / chunks..<count * (chunk + 1) / chunks).map(body)
        parts.withLock { $0[chunk] = part }
    }
    return parts.withLock { $0 }.flatMap { $0 }
}
