import Glibc
import Locking
package import Parallelism

/// Threads that compute, fed from one bounded queue.
///
/// One queue for all of them means a job never delays another while a thread is idle. These are threads of our own
/// and not Swift's cooperative pool because jobs compute for seconds without a point to yield at.
///
/// The job comes first that would be over first if each had begun as it came. So short work passes long work that waits,
/// and none waits for ever: what comes later than a job by the time that job takes never passes it. Jobs that are expected
/// to take equally long are begun in the order they came.
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
    ///   - queueLimit: jobs that may wait while all threads are taken.
    ///   - urgency: how its threads share the cores with others.
    /// - Throws: when the system has no more threads.
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
    /// - Parameter expected: about how long it takes on one core.
    /// - Returns: false when the queue is full or the pool is stopping; the job is not kept then.
    package func submit(expected: Duration = .zero, _ job: @escaping Job) -> Bool {
        state.withLock(waking: .one) { state in
            guard !state.isStopping, state.running + state.jobs.count < capacity else { return false }
            state.jobs.add(job, due: .now + expected)
            return true
        }
    }

    /// Queues a job that belongs to one already taken, whatever the queue's length; also while the pool is stopping, as
    /// long as that one is running or its reply is being sent.
    func submitFurther(expected: Duration = .zero, _ job: @escaping Job) {
        state.withLock(waking: .one) { $0.jobs.add(job, due: .now + expected) }
    }

    /// Jobs waiting for a thread.
    package var queued: Int { state.withLock { $0.jobs.count } }
    /// Jobs on a thread.
    package var running: Int { state.withLock { $0.running } }
    /// Whether the next job would be refused.
    package var isFull: Bool { state.withLock { $0.running + $0.jobs.count >= capacity } }

    /// Takes no more jobs and lets the threads go once the queue is empty. Returns at once.
    package func stop() {
        state.withLock(waking: .everybody) { $0.isStopping = true }
    }

    /// After ``stop()``: whether all threads were gone within `limit`.
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
