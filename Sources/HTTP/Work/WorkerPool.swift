import Glibc
import Locking
package import Parallelism

/// Threads that compute, fed from one bounded queue.
///
/// All threads share the queue, so no job waits while a thread is idle. These are POSIX threads, not Swift's
/// cooperative pool, because jobs compute for seconds without a suspension point.
///
/// Jobs start in the order in which they would end if each had begun on arrival. Short work therefore overtakes long
/// work that waits, but no job waits forever: a job that arrives later than another by that job's duration never
/// overtakes it. Jobs of equal expected duration start in the order of arrival.
package final class WorkerPool: Sendable {
    package typealias Job = @Sendable () -> Void

    private struct State {
        var jobs = JobQueue()
        var running = 0
        var isStopping = false
        var threads: Int
    }

    private let state: Monitor<State>
    private let capacity: Int
    let threadCount: Int

    /// - Parameters:
    ///   - queueLimit: the number of jobs that may wait while all threads are busy.
    ///   - urgency: the priority of its threads.
    /// - Throws: if the system has no more threads.
    package init(
        threads: Int, queueLimit: Int, urgency: ThreadUrgency = .ordinary, named name: String = "worker"
    ) throws(ThreadError) {
        precondition(threads > 0 && queueLimit >= 0)
        capacity = threads + queueLimit
        threadCount = threads
        state = Monitor(State(threads: threads))
        for index in 0..<threads {
            do throws(ThreadError) {
                try PosixThread.start(named: "\(name)-\(index)") { [self] in
                    ThreadUrgency.lower(to: urgency)
                    work()
                }
            } catch {
                state.withLock { $0.threads = index }
                stop()
                throw error
            }
        }
    }

    /// Queues a job.
    ///
    /// - Parameter expected: the approximate duration on one core.
    /// - Returns: false if the queue is full or the pool is stopping. The job is then not kept.
    package func submit(expected: Duration = .zero, _ job: @escaping Job) -> Bool {
        state.withLock(waking: .one) { state in
            guard !state.isStopping, state.running + state.jobs.count < capacity else { return false }
            state.jobs.add(job, due: .now + expected)
            return true
        }
    }

    /// Queues a follow-up of an accepted job, regardless of the queue's length. This works even while the pool is
    /// stopping, as long as the accepted job is running or its reply is being sent.
    func submitFurther(expected: Duration = .zero, _ job: @escaping Job) {
        state.withLock(waking: .one) { $0.jobs.add(job, due: .now + expected) }
    }

    /// The number of jobs waiting for a thread.
    package var queued: Int { state.withLock { $0.jobs.count } }
    /// The number of jobs on a thread.
    package var running: Int { state.withLock { $0.running } }
    /// Whether the pool would refuse the next job.
    package var isFull: Bool { state.withLock { $0.running + $0.jobs.count >= capacity } }

    /// Accepts no more jobs, and ends the threads once the queue is empty. Returns immediately.
    package func stop() {
        state.withLock(waking: .everybody) { $0.isStopping = true }
    }

    /// Call after ``stop()``. Returns whether all threads ended within `limit`.
    package func waitForThreads(atMost limit: Duration) -> Bool {
        state.wait(atMost: limit) { $0.threads == 0 ? true : nil } ?? false
    }

    private func work() {
        while let job = next() {
            job()
            state.withLock { $0.running -= 1 }
        }
        state.withLock(waking: .everybody) { $0.threads -= 1 }
    }

    private func next() -> Job? {
        state.wait { state -> Job?? in
            if let job = state.jobs.popFirst() {
                state.running += 1
                return .some(job)
            }
            return state.isStopping ? .some(nil) : nil
        }
    }
}
