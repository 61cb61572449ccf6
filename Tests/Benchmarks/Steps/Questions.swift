import Glibc
import Locking

/// When the calling thread asked, in processor time of its own, which others on the machine don't lengthen.
final class Questions: Sendable {
    private let times = Monitor([Questions.now])

    static var now: Duration {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    func ask() -> Bool {
        times.withLock { $0.append(Self.now) }
        return true
    }

    /// From the first to now, and between two.
    func spans() -> (all: Duration, longest: Duration) {
        let all = times.withLock { $0 } + [Self.now]
        let longest = zip(all, all.dropFirst()).map { $1 - $0 }.max() ?? .zero
        return (all[all.count - 1] - all[0], longest)
    }
}
