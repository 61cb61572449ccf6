import Dispatch
import Synchronization

/// Maps 0..<count over all cores; each call is independent, and results stay in order, so the outcome doesn't depend on
/// how many cores there are.
///
/// Called from a thread that yields to others, the threads that help yield as well.
/// - Parameter operations: about how many arithmetic operations all calls together take. Below some ten thousand,
///   handing them out would take longer than doing them.
/// - Complexity: count calls, in chunks that are handed out as threads become free.
package func mapInParallel<Result: Sendable>(
    _ count: Int, operations: Int, _ body: @escaping @Sendable (Int) -> Result
) -> [Result] {
    // A few chunks for each core even out calls of different cost.
    let chunks = min(count, 16)
    guard chunks > 1, operations > 20_000 else { return (0..<count).map(body) }
    let map = ChunkedMap(count, chunks: chunks, body)
    if ThreadUrgency.isLow {
        // A queue of its own: its threads do nothing else, and so may stay as they are made here.
        for _ in 1..<min(chunks, ThreadUrgency.coreCount + 1) {
            DispatchQueue.global(qos: .utility).async {
                ThreadUrgency.lower()
                map.help()
            }
        }
        map.help()
        map.wait()
    } else {
        DispatchQueue.concurrentPerform(iterations: chunks) { _ in map.step() }
    }
    return map.results
}

/// A map that is done in chunks by whoever comes along.
private final class ChunkedMap<Result: Sendable>: Sendable {
    private let count: Int
    private let chunks: Int
    private let body: @Sendable (Int) -> Result
    private let state: Mutex<State>
    private let done = DispatchSemaphore(value: 0)

    private struct State {
        var next = 0
        var finished = 0
        var parts: [[Result]]
    }

    init(_ count: Int, chunks: Int, _ body: @escaping @Sendable (Int) -> Result) {
        self.count = count
        self.chunks = chunks
        self.body = body
        state = Mutex(State(parts: [[Result]](repeating: [], count: chunks)))
    }

    /// Does the next chunk that nobody has taken; false when there is none.
    @discardableResult
    func step() -> Bool {
        let taken: Int? = state.withLock { state in
            guard state.next < chunks else { return nil }
            state.next += 1
            return state.next - 1
        }
        guard let chunk = taken else { return false }
        let part = (count * chunk / chunks..<count * (chunk + 1) / chunks).map(body)
        let isLast = state.withLock { state in
            state.parts[chunk] = part
            state.finished += 1
            return state.finished == chunks
        }
        if isLast { done.signal() }
        return true
    }

    func help() {
        while step() {}
    }

    /// Waits for the chunks that others have taken.
    func wait() { done.wait() }

    var results: [Result] { state.withLock { $0.parts }.flatMap { $0 } }
}
