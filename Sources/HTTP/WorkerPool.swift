import Glibc
import Locking
import Parallelism

/// Threads that compute, fed from one bounded first-in-first-out queue.
///
/// One queue for all of them means a job never delays another while a thread is idle. These are threads of our own
/// and not Swift's cooperative pool because jobs compute for seconds without a point to yield at.
package final class WorkerPool: Sendable {
    package typealias Job = @Sendable () -> Void

    private struct State {
        var jobs = FIFO<Job>()
        var running = 0
        var isStopping = false
        var threads: Int
    }

    private let state: Monitor<State>
    private let capacity: Int
    let threadCount: Int

    /// - Parameters:
    ///   - queueLimit: jobs that may wait while all threads are taken.
    ///   - yields: whether its threads yield the cores to others; see `ThreadUrgency`.
    /// - Throws: when the system has no more threads.
    package init(threads: Int, queueLimit: Int, yields: Bool = false) throws(ThreadError) {
        precondition(threads > 0 && queueLimit >= 0)
        capacity = threads + queueLimit
        threadCount = threads
        state = Monitor(State(threads: threads))
        for index in 0..<threads {
            do throws(ThreadError) {
                try PosixThread.start(named: yields ? "long-\(index)" : "worker-\(index)") { [self] in
                    if yields { ThreadUrgency.lower() }
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
    /// - Returns: false when the queue is full or the pool is stopping; the job is not kept then.
    package func submit(_ job: @escaping Job) -> Bool {
        state.withLock(waking: .one) { state in
            guard !state.isStopping, state.running + state.jobs.count < capacity else { return false }
            state.jobs.append(job)
            return true
        }
    }

    /// Queues a job that belongs to one already taken, whatever the queue's length; also while the pool is stopping, as
    /// long as that one is running or its reply is being sent.
    func submitFurther(_ job: @escaping Job) {
        state.withLock(waking: .one) { $0.jobs.append(job) }
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

/// A queue on an array: the used-up front is dropped once it is the larger part.
struct FIFO<Element: Sendable>: Sendable {
    private var elements: [Element?] = []
    private var head = 0

    var count: Int { elements.count - head }

    mutating func append(_ element: Element) {
        elements.append(element)
    }

    /// - Complexity: O(1) amortised.
    mutating func popFirst() -> Element? {
        guard head < elements.count else { return nil }
        let element = elements[head].take()
        head += 1
        if head * 2 > elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }
}
