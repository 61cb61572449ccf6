import Locking
import Parallelism

/// Maps 0..<count with this number of workers. Each worker takes the next free number, so the calls in progress are
/// neighbours. Results are in order.
func mapInOrder<Result: Sendable>(
    _ count: Int, workers: Int, _ body: @Sendable (Int) -> Result
) -> [Result] {
    guard workers > 1, count > 1 else { return (0..<count).map(body) }
    let next = Monitor(0)
    let results = Monitor([Result?](repeating: nil, count: count))
    performInParallel(min(workers, count), operations: .max) { _ in
        while true {
            let index = next.withLock { next in
                defer { next += 1 }
                return next
            }
            guard index < count else { return }
            let result = body(index)
            results.withLock { $0[index] = result }
        }
    }
    return results.withLock { $0 }.compactMap { $0 }
}
