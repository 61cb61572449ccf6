/// Points in time for deadlines and measurements. This clock rests while the machine sleeps, so a laptop that
/// wakes up does not find all its clients too slow.
typealias Moment = SuspendingClock.Instant
