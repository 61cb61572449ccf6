import HTTPTypes

/// The path of one request through the worker pools: the pool for short work may read it and pass it on to the pool
/// for long work.
struct WorkTurn: Sendable {
    private let head: RequestHead
    private let core: ServerCore
    private let connection: Connection
    private let turn: Int
    private let workers: WorkerPool
    private var result = WorkResult(answer: .clientGone)
    private var queuedSince = Moment.now

    init(
        for head: RequestHead, _ core: ServerCore, _ connection: Connection, _ turn: Int,
        _ workers: WorkerPool
    ) {
        self.head = head
        self.core = core
        self.connection = connection
        self.turn = turn
        self.workers = workers
    }

    func job(_ work: @escaping @Sendable () -> Weighed) -> WorkerPool.Job {
        { [self] in
            guard connection.isWaiting(in: turn) else {
                return connection.deliver(WorkResult(answer: .clientGone), in: turn)
            }
            let begun = Moment.now
            let weighed = work()
            var result = result
            result.queue += begun - queuedSince
            result.work += .now - begun
            switch weighed {
            case .response(let response): deliver(response, result)
            case .longWork(let work, let expected): handOn(work, expected, result)
            }
        }
    }

    private func deliver(_ response: Response, _ result: WorkResult) {
        // A timeout here means that the client had left. Otherwise the reaper would have answered.
        let isUnheard = response.status == .gatewayTimeout && !connection.isWaiting(in: turn)
        var result = result
        result.answer = isUnheard ? .clientGone : .response(response)
        result.workers = workers
        connection.deliver(result, in: turn)
    }

    private func handOn(
        _ work: @escaping @Sendable () -> Response, _ expected: Duration, _ result: WorkResult
    ) {
        var next = WorkTurn(for: head, core, connection, turn, core.longWorkers)
        next.result = result
        if !core.longWorkers.submit(expected: expected, next.job { .response(work()) }) {
            deliver(core.queueIsFull.response(core.render, head), result)
        }
    }
}
