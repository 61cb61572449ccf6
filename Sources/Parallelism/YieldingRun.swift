import Dispatch
import Locking

/// As `DispatchQueue.concurrentPerform`, by threads that yield to others. That one takes its threads from among those
/// that everybody uses, whatever the caller's own urgency.
func performYielding(_ count: Int, _ body: @Sendable (Int) -> Void) {
    withoutActuallyEscaping(body) { body in
        let run = YieldingRun(count, body)
        // A queue of its own: its threads do nothing else, and so may stay as they are made here.
        for _ in 1..<min(count, ThreadUrgency.coreCount + 1) {
            DispatchQueue.global(qos: .utility).async {
                ThreadUrgency.lower()
                run.help()
            }
        }
        run.takeCalls(body)
        run.close()
    }
}

/// Calls that are made by whoever comes along until all are taken.
private final class YieldingRun: Sendable {
    private struct State {
        var next = 0
        /// Nil once the run is over: whoever comes late finds nothing, and nothing of the caller is kept.
        var body: (@Sendable (Int) -> Void)?
    }

    private let count: Int
    private let state: Monitor<State>
    private let helpers = DispatchGroup()

    init(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        self.count = count
        state = Monitor(State(body: body))
    }

    /// Takes calls if there are any left.
    func help() {
        guard join() else { return }
        takeJointCalls()
        helpers.leave()
    }

    func takeCalls(_ body: (Int) -> Void) {
        while let index = next() { body(index) }
    }

    /// Waits for the helpers; all calls have been made then, and no helper holds the body.
    func close() {
        // Helpers that would come from now on find no body.
        let body = state.withLock { $0.body.take() }
        helpers.wait()
        withExtendedLifetime(body) {}
    }

    private func join() -> Bool {
        state.withLock { state in
            guard state.body != nil, state.next < count else { return false }
            helpers.enter()
            return true
        }
    }

    /// On its own, so that its hold on the body ends before the helper leaves.
    @inline(never)
    private func takeJointCalls() {
        guard let body = state.withLock({ $0.body }) else { return }
        takeCalls(body)
    }

    private func next() -> Int? {
        state.withLock { state in
            guard state.next < count else { return nil }
            state.next += 1
            return state.next - 1
        }
    }
}
