/// A budget of waiting time. Spent time returns at a tenth of the speed of the clock, so repeated waits take at most a
/// tenth of the time.
struct Patience: Sendable {
    private let most: Duration
    private var rest: Duration
    private var asOf: SuspendingClock.Instant

    init(atMost most: Duration, now: SuspendingClock.Instant = .now) {
        self.most = most
        rest = most
        asOf = now
    }

    mutating func left(at now: SuspendingClock.Instant) -> Duration {
        rest = min(most, rest + (now - asOf) / 10)
        asOf = now
        return rest
    }

    mutating func spend(_ waited: Duration) { rest = max(.zero, rest - waited) }
}
