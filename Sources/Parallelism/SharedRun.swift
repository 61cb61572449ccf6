import Locking
import Synchronization

/// A run of calls that several threads share. Each thread takes the next call until none is left.
final class SharedRun: Sendable {
    private struct State {
        /// Nil once the run is over, so that late helpers find nothing and nothing of the caller is kept.
        var body: (@Sendable (Int) -> Void)?
        var helpers = 0
    }

    private let count: Int
    private let taken = Atomic(0)
    private let state: Monitor<State>

    init(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        self.count = count
        state = Monitor(State(body: body))
    }

    var hasCallsLeft: Bool { taken.load(ordering: .relaxed) < count }
    /// The number of helpers at work.
    var helperCount: Int { state.withLock { $0.helpers } }

    /// Takes calls until none is left.
    func help() {
        guard join() else { return }
        takeJointCalls()
        state.withLock(waking: .everybody) { $0.helpers -= 1 }
    }

    func takeCalls(_ body: (Int) -> Void) {
        while let index = next() { body(index) }
    }

    /// Waits for the helpers. Afterwards all calls are done, and no helper holds the body.
    func close() {
        // Helpers that arrive from now on find no body.
        let body = state.withLock { $0.body.take() }
        state.wait { $0.helpers == 0 ? () : nil }
        withExtendedLifetime(body) {}
    }

    private func join() -> Bool {
        state.withLock { state in
            guard state.body != nil, hasCallsLeft else { return false }
            state.helpers += 1
            return true
        }
    }

    /// A separate function, so that the reference to the body ends before the helper leaves.
    @inline(never)
    private func takeJointCalls() {
        guard let body = state.withLock({ $0.body }) else { return }
        takeCalls(body)
    }

    /// The lock under which helpers leave publishes what their calls wrote.
    private func next() -> Int? {
        let index = taken.wrappingAdd(1, ordering: .relaxed).oldValue
        return index < count ? index : nil
    }
}
