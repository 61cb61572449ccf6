import Locking
import Synchronization

/// Calls that are made by whoever comes along until all are taken.
final class SharedRun: Sendable {
    private struct State {
        /// Nil once the run is over: whoever comes late finds nothing, and nothing of the caller is kept.
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
    /// Who helps at the moment.
    var helperCount: Int { state.withLock { $0.helpers } }

    /// Takes calls if there are any left.
    func help() {
        guard join() else { return }
        takeJointCalls()
        state.withLock(waking: .everybody) { $0.helpers -= 1 }
    }

    func takeCalls(_ body: (Int) -> Void) {
        while let index = next() { body(index) }
    }

    /// Waits for the helpers; all calls have been made then, and no helper holds the body.
    func close() {
        // Helpers that would come from now on find no body.
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

    /// On its own, so that its hold on the body ends before the helper leaves.
    @inline(never)
    private func takeJointCalls() {
        guard let body = state.withLock({ $0.body }) else { return }
        takeCalls(body)
    }

    /// What the calls write is handed over by the lock that helpers leave under.
    private func next() -> Int? {
        let index = taken.wrappingAdd(1, ordering: .relaxed).oldValue
        return index < count ? index : nil
    }
}
