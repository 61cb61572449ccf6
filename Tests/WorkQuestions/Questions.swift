import Glibc
import Locking

/// When the calling thread asked, in processor time of its own, which others on the machine don't lengthen.
package final class Questions: Sendable {
    private let times = Monitor([Questions.now])
    /// From then on the answer is no.
    private let end: Duration?

    /// - Parameter wanted: how long the answer is yes; nil for ever.
    package init(wanted: Duration? = nil) {
        end = wanted.map { Self.now + $0 }
    }

    package static var now: Duration {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    package func ask() -> Bool {
        let now = Self.now
        times.withLock { $0.append(now) }
        return end.map { now < $0 } ?? true
    }

    /// From the first to now, and the longest between two.
    package func spans() -> (all: Duration, longest: Duration) {
        let all = times.withLock { $0 } + [Self.now]
        let longest = zip(all, all.dropFirst()).map { $1 - $0 }.max() ?? .zero
        return (all[all.count - 1] - all[0], longest)
    }

    /// From when nobody wanted it any more to now.
    package var late: Duration { end.map { max(.zero, Self.now - $0) } ?? .zero }
}
