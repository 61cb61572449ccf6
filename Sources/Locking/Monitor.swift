package import Glibc

/// A value behind a lock that threads can wait on: POSIX mutex and condition variable.
///
/// All locks of the server are of this type. `Synchronization.Mutex` cannot wait. On Linux the thread sanitizer does
/// not know it and reports races between its holders, among which real ones would be overlooked.
@safe
package final class Monitor<Value: Sendable>: @unchecked Sendable {
    @usableFromInline
    let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    @usableFromInline
    let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    @usableFromInline
    var value: Value

    package enum Waking {
        case nobody, one, everybody
    }

    package init(_ value: Value) {
        self.value = value
        unsafe pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        // Deadlines must not jump when the wall clock is set.
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// Reads or changes the value, then wakes the threads that wait for a change.
    @inlinable
    package func withLock<Result>(waking: Waking = .nobody, _ body: (inout Value) -> Result) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        let result = body(&value)
        switch waking {
        case .nobody: break
        case .one: unsafe pthread_cond_signal(condition)
        case .everybody: unsafe pthread_cond_broadcast(condition)
        }
        return result
    }

    /// Waits until `take` returns a result. Calls it again after every wake-up.
    @inlinable
    package func wait<Result>(_ take: (inout Value) -> Result?) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while true {
            if let result = take(&value) { return result }
            unsafe pthread_cond_wait(condition, mutex)
        }
    }

    /// Like ``wait(_:)``, but returns nil after `limit`.
    @inlinable
    package func wait<Result>(atMost limit: Duration, _ take: (inout Value) -> Result?) -> Result? {
        var deadline = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &deadline)
        let (seconds, attoseconds) = limit.components
        let nanoseconds = deadline.tv_nsec + Int(attoseconds / 1_000_000_000)
        deadline.tv_sec += Int(seconds) + nanoseconds / 1_000_000_000
        deadline.tv_nsec = nanoseconds % 1_000_000_000
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while true {
            if let result = take(&value) { return result }
            if unsafe pthread_cond_timedwait(condition, mutex, &deadline) == ETIMEDOUT { return take(&value) }
        }
    }
}
