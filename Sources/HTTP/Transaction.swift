import HTTPTypes

/// One request from its complete head to its last answered byte, as its I/O thread sees it.
///
/// Confined to that thread, and free of libmicrohttpd: every event returns a ``Step`` for the caller to take.
final class Transaction {
    enum Step {
        /// Wait for more.
        case goOn
        case reply(Response, closing: Bool)
        case stream(Response, ReplyStream, closing: Bool)
        /// Suspend the connection and hand the job to these workers; call the other when they take no more.
        case suspend(WorkerPool.Job, WorkerPool, refused: () -> Void)
        case close
    }

    private enum Stage {
        case begun
        case receiving(any BodySink, limit: Int)
        /// The answer is known; the body is short enough to be read to its end, which keeps the connection.
        case discarding(Response)
        /// The same where the answer cannot be given in mid-body, within what the route would have read.
        case outlasting(Response, left: Int)
        case working
        case replying
    }

    /// With more to come, a client is told at once that no work is taken, and not after it has sent everything.
    private static let smallBody = 1 << 20

    /// Replies up to this size are as small as what every connection has anyway, and mostly gone at once.
    private static let uncountedReply = 16 << 10

    private let core: ServerCore
    private let connection: Connection
    private let head: RequestHead
    private var stage = Stage.begun
    private var closing = false
    private var memory: BodyMemory
    /// See ``Connection/headArrived(_:now:limit:)``.
    private var turn = 0

    private var route: Route?
    private var status: HTTPResponse.Status?
    private var notes = ResponseNotes()
    private var received = 0
    private var replyBytes = 0
    private var wasAnsweredRaw = false
    private var isStreamed = false
    private let started: Moment
    private var durations = Exchange.Durations()

    init(_ head: RequestHead, on connection: Connection, of core: ServerCore, now: Moment) {
        self.head = head
        self.connection = connection
        self.core = core
        memory = BodyMemory(MemoryShare(of: core.memory))
        started = now
    }

    /// The head is complete. An answer in this call closes the connection, so most wait for the next.
    func begin(refusing refusal: Refusal?) -> Step {
        let limit = core.configuration.requestTimeout
        turn = connection.headArrived(head, now: started, limit: min(limit, head.timeout ?? limit))
        // A trailer line that begins with a NUL looks to the library like the line that ends the trailer, and nothing
        // tells the two apart afterwards. So whatever follows a chunked body is no request.
        if head.framing == .chunked { closing = true }
        if let refusal {
            closing = true
            return settle(refusal)
        }
        if core.isDraining { return settle(.draining(retryAfter: core.configuration.retryAfter)) }
        switch core.router.admit(head, maxBodyBytes: core.configuration.maxBodyBytes) {
        case .refused(let refusal, let route):
            self.route = route
            return settle(refusal)
        case .answered(let response, let route):
            self.route = route
            return settle(response)
        case .open(let sink, let route, let limit):
            self.route = route
            if core.isOverloaded, (head.contentLength ?? .max) > Transaction.smallBody {
                return settle(core.queueIsFull)
            }
            if let refusal = memory.claim(for: sink, head) { return settle(refusal) }
            stage = .receiving(sink, limit: limit)
            return .goOn
        }
    }

    /// A piece of the body, never empty.
    func receive(_ piece: RawSpan) -> Step {
        guard connection.bodyArrived(piece.byteCount) else { return .close }
        received += piece.byteCount
        switch stage {
        case .receiving(let sink, let limit):
            if received > limit {
                return settle(.bodyTooLarge(limit: limit, declared: head.contentLength, received: received))
            }
            if let refusal = memory.bodyArrives(received) { return settle(refusal) }
            if let response = sink.receive(piece) { return settle(response) }
            return memory.sinkHolds(sink.memory).map(settle) ?? .goOn
        case .discarding:
            return .goOn
        case .outlasting(let response, let left):
            stage = .outlasting(response, left: left - piece.byteCount)
            return left >= piece.byteCount ? .goOn : .close
        case .begun, .working, .replying:
            return .close
        }
    }

    /// The body is complete, or the connection has been resumed.
    func proceed() -> Step {
        switch stage {
        case .receiving(let sink, _):
            guard connection.bodyEnded() else { return .close }
            durations.receive = .now - started
            let scope = RequestScope(memory.share) { [connection, turn] in connection.isWaiting(in: turn) }
            switch sink.finish(scope) {
            case .reply(let response): return reply(response)
            case .work(let work): return hand(over: work, to: core.workers)
            case .longWork(let work): return hand(over: work, to: core.longWorkers)
            }
        case .discarding(let response), .outlasting(let response, _):
            durations.receive = .now - started
            return reply(response)
        case .working:
            guard let result = connection.takeWork() else { return .close }
            durations.queue = result.queue
            durations.work = result.work
            switch result.answer {
            case .response(let response): return reply(response)
            case .inPlaceOfWork(let response): return reply(response, worksOn: true)
            case .clientGone: return .close
            }
        case .begun, .replying:
            return .close
        }
    }

    /// Over, one way or another.
    func end(completed: Bool, serverStopped: Bool) -> Exchange {
        let now = Moment.now
        durations.total = now - started
        if isStreamed { replyBytes = connection.streamedBytes }
        let cut = connection.requestEnded(now: now)
        let isAnswered = completed || wasAnsweredRaw
        return Exchange(
            head: head, route: route?.path,
            status: status ?? cut?.status,
            bytesIn: received, bytesOut: isAnswered ? replyBytes : 0, durations: durations,
            ending: cut?.ending ?? (isAnswered ? .completed : serverStopped ? .abandoned : .clientGone),
            client: connection.client, notes: notes)
    }

    private func settle(_ refusal: Refusal) -> Step {
        settle(refusal.response(core.render, head))
    }

    /// Gives an answer that does not need the rest of the body in the way that suits what is still to come.
    private func settle(_ response: Response) -> Step {
        // Before the sink is let go of, but it takes no more.
        memory.share.release()
        let isBeforeBody = received == 0
        switch head.framing {
        case .none:
            stage = .discarding(response)
            return .goOn
        case .sized(let length) where length == received:
            stage = .discarding(response)
            return .goOn
        case .sized, .chunked:
            // The client waits for a word before it sends: the answer is that word.
            if isBeforeBody, head.expectsContinue { return reply(response) }
        }
        if case .sized(let length) = head.framing, !closing,
            length - received <= core.configuration.discardBytes
        {
            stage = .discarding(response)
            return .goOn
        }
        guard connection.canAnswerRaw else { return settleByLibrary(response) }
        let finished = core.finish(response, for: head)
        status = finished.status
        notes = finished.notes
        wasAnsweredRaw = connection.answer(RawReply(finished, omittingBody: head.method == .head), now: .now)
        replyBytes = finished.bodyByteCount
        // The library knows nothing of the answer, and closes. What the client is still sending is for others to take.
        if wasAnsweredRaw { connection.lingersWhenClosed() }
        return .close
    }

    /// Where only the library can answer: it does before a body, and it does after one.
    private func settleByLibrary(_ response: Response) -> Step {
        if received == 0 {
            connection.lingersWhenClosed()
            return reply(response)
        }
        var left = core.configuration.lingerBytes
        if case .receiving(_, let limit) = stage { left = max(left, limit - received) }
        stage = .outlasting(response, left: left)
        return .goOn
    }

    /// - Parameter worksOn: a worker is still at it, and holds what it has claimed.
    private func reply(_ response: Response, worksOn: Bool = false) -> Step {
        let finished = core.finish(response, for: head)
        if let rest = response.rest {
            // The rest is made of the body, and its pieces of what was claimed for them.
            guard connection.streamBegins(now: .now) else { return .close }
            status = finished.status
            stage = .replying
            isStreamed = true
            let stream = ReplyStream(
                response.body, then: rest, to: connection, in: turn, madeBy: core.longWorkers)
            return .stream(finished, stream, closing: closing || core.isDraining)
        }
        if !worksOn {
            let bytes = finished.bodyByteCount
            memory.share.settle(at: bytes > Transaction.uncountedReply ? bytes : 0)
        }
        replyBytes = head.method == .head ? 0 : finished.bodyByteCount
        guard connection.replyBegins(bytes: replyBytes, now: .now) else { return .close }
        status = finished.status
        notes = finished.notes
        stage = .replying
        return .reply(finished, closing: closing || core.isDraining)
    }

    private func hand(over work: @escaping @Sendable () -> Response, to workers: WorkerPool) -> Step {
        guard connection.workBegins(head) else { return .close }
        stage = .working
        let queued = Moment.now
        let job: WorkerPool.Job = { [connection, turn] in
            guard connection.isWaiting(in: turn) else {
                return connection.deliver(WorkResult(answer: .clientGone), in: turn)
            }
            let begun = Moment.now
            let response = work()
            // What says that time is over ended because the client had left: else the reaper would have answered.
            let isUnheard = response.status == .gatewayTimeout && !connection.isWaiting(in: turn)
            connection.deliver(
                WorkResult(
                    answer: isUnheard ? .clientGone : .response(response), queue: begun - queued,
                    work: .now - begun), in: turn)
        }
        return .suspend(job, workers) { [self] in
            connection.deliver(
                WorkResult(answer: .response(core.queueIsFull.response(core.render, head))), in: turn)
        }
    }
}
