import HTTPTypes
import Locking
import Parallelism
import Synchronization

/// The state that all threads of a server share.
final class ServerCore: Sendable {
    let configuration: ServerConfiguration
    private let commonFields: CommonFields
    private let retryAdvice: RetryAdvice
    let router: Router
    let render: RefusalRenderer
    let observer: any ServerObserver
    let workers: WorkerPool
    /// Runs jobs with a cost that is known only after reading them, and those of them that are short.
    let shortWorkers: WorkerPool
    /// Runs jobs that may take long. They never delay the others.
    let longWorkers: WorkerPool
    let memory: MemoryBudget
    let connections = Monitor<[ObjectIdentifier: Connection]>([:])
    /// The number of requests between head and end. A drain waits until it is 0.
    let inFlight = Monitor(0)
    /// Sockets that stay open for a while after the library has closed them.
    let lingering: LingeringSockets
    /// The slow readers as the reaper last found them.
    let slowReaders = Monitor(SlowReaders())
    /// False once the reaper may end.
    let reaping = Monitor(true)
    private let draining = Atomic(false)

    init(
        _ configuration: ServerConfiguration, router: Router, render: @escaping RefusalRenderer,
        observer: any ServerObserver
    ) throws(ThreadError) {
        self.configuration = configuration
        commonFields = CommonFields(
            serverName: configuration.serverName, isSecure: configuration.tls != nil)
        retryAdvice = RetryAdvice(retryAfter: configuration.retryAfter)
        self.router = router
        self.render = render
        self.observer = observer
        let limits = TimeLimits(configuration)
        lingering = LingeringSockets(
            idle: limits.linger, bytes: configuration.lingerBytes, whole: limits.transfer)
        memory = MemoryBudget(
            total: configuration.memoryBudgetBytes, retryAfter: configuration.retryAfter,
            turnoverStep: SpareMemory.step(of: configuration.memoryBudgetBytes))
        let (threads, queueLimit) = (configuration.workerThreads, configuration.workQueueLimit)
        workers = try WorkerPool(threads: threads, queueLimit: queueLimit)
        do throws(ThreadError) {
            shortWorkers = try WorkerPool(
                threads: threads, queueLimit: queueLimit, urgency: .short, named: "short")
        } catch {
            workers.stop()
            throw error
        }
        do throws(ThreadError) {
            longWorkers = try WorkerPool(
                threads: threads, queueLimit: queueLimit, urgency: .low, named: "long")
        } catch {
            workers.stop()
            shortWorkers.stop()
            throw error
        }
    }

    var pools: [WorkerPool] { [workers, shortWorkers, longWorkers] }

    /// The answer to heavy work when the queue is full.
    var queueIsFull: Refusal {
        .busy(.queue(configuration.workQueueLimit), retryAfter: configuration.retryAfter)
    }

    /// Whether the server would refuse heavy requests.
    var isOverloaded: Bool { pools.contains(where: \.isFull) }

    /// Whether clients speak TLS, so that only the library can write to them.
    var isSecure: Bool { configuration.tls != nil }

    var isDraining: Bool { draining.load(ordering: .acquiring) }

    func beginDraining() {
        draining.store(true, ordering: .releasing)
    }

    var connectionCount: Int { connections.withLock { $0.count } }

    /// The number of sockets of clients, including lingering ones.
    var socketCount: Int { connectionCount + lingering.count }

    var openConnections: [Connection] {
        connections.withLock { Array($0.values) }
    }

    /// Adds the fields of every answer.
    func finish(_ response: Response, for head: RequestHead?) -> Response {
        var response = response
        response.headers[.requestID] = head?.requestID ?? RequestID.make()
        if let head { response.headers.append(contentsOf: router.fields(head)) }
        commonFields.add(to: &response.headers)
        retryAdvice.add(to: &response)
        return response
    }

    /// Waits for all requests to end. Returns whether they did within `limit`.
    func waitUntilIdle(atMost limit: Duration) -> Bool {
        inFlight.wait(atMost: limit) { $0 == 0 ? true : nil } ?? false
    }

    /// Ends the workers, the reaper and the thread that watches spare memory.
    func stopThreads() {
        for pool in pools { pool.stop() }
        reaping.withLock(waking: .everybody) { $0 = false }
        lingering.stopWatching()
        memory.close()
    }

    /// Ends requests that have taken too long.
    func reap(_ limits: TimeLimits) {
        let now = Moment.now
        var slow: [SlowReader] = []
        for connection in openConnections {
            connection.reap(now: now, limits: limits) { refusal, head in
                finish(refusal.response(render, head), for: head)
            }
            connection.tendEvents(now: now, limits: limits, isDraining: isDraining)
            if let reader = connection.slowReader(now: now, limits: limits) { slow.append(reader) }
        }
        memory.refuse(waitingSince: now - limits.transferBase)
        slowReaders.withLock { $0 = SlowReaders(slow) }
        // Without a budget no memory is ever short.
        guard configuration.memoryBudgetBytes > 0 else { return }
        for reader in SlowReaders.excess(slow, beyond: configuration.slowReaderBytes) {
            reader.connection.crowdOut(in: reader.turn)
        }
    }

    /// Ends the event streams, which have no end of their own.
    func finishEvents() {
        for connection in openConnections { connection.finishEvents() }
    }

    /// Answers or closes the requests that are left.
    func abandon() {
        for connection in openConnections {
            connection.abandon { head in
                finish(
                    Refusal.draining(retryAfter: configuration.retryAfter).response(render, head), for: head)
            }
        }
    }
}
