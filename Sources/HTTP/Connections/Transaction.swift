import HTTPTypes

/// One request from its complete head to its last answered byte, as its I/O thread sees it.
///
/// Confined to that thread, and free of libmicrohttpd: every event returns a ``Step`` for the caller to take.
final class Transaction {
    enum Step {
        /// Wait for more.
        case goOn
        case reply(Response, closing: Bool)
        /// `length` is that of the body, where it is known.
        case stream(Response, any StreamedBody, length: Int?, closing: Bool)
        /// Suspend the connection and hand the job to these workers; call the other when they take no more.
        case suspend(WorkerPool.Job, WorkerPool, expected: Duration, refused: () -> Void)
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
    /// From here on a reply is given to the library piece by piece, so that the memory of what is sent is free again.
    private static let piecemealReply = 4 << 20

    private let core: ServerCore
    private let connection: Connection
    private let head: RequestHead
    private var stage = Stage.begun
    private var closing = false
    private var memory: BodyMemory
    /// See ``Connection/headArrived(_:now:limit:)``.
    private var turn = 0
    /// Claimed for the complete body.
    private var bodyBytes = 0

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
            bodyBytes = memory.share.bytes
            let scope = RequestScope(memory.share) { [connection, turn] in connection.isWaiting(in: turn) }
            switch sink.finish(scope) {
            case .reply(let response): return reply(response)
            case .work(let work): return hand(over: core.workers) { .response(work()) }
            case .longWork(let work, let expected):
                return hand(over: core.longWorkers, expected: expected) { .response(work()) }
            case .weighedWork(let work): return hand(over: core.shortWorkers, work)
            }
        case .discarding(let response), .outlasting(let response, _):
            durations.receive = .now - started
            return reply(response)
        case .working:
            guard let result = connection.takeWork() else { return .close }
            durations.queue = result.queue
            durations.work = result.work
            switch result.answer {
            case .response(let response): return reply(response, madeBy: result.workers)
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
        wasAnsweredRaw = connection.answer(RawReply(finished, omittingBody: omitsBody(finished)), now: .now)
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

    /// Whether the body is given for its length alone (RFC 9110, section 8.6). The library knows that by itself.
    private func omitsBody(_ response: Response) -> Bool {
        head.method == .head || response.status == .notModified
    }

    /// - Parameters:
    ///   - workers: who makes the rest of a streamed reply.
    ///   - worksOn: a worker is still at it, and holds what it has claimed.
    private func reply(_ response: Response, madeBy workers: WorkerPool? = nil, worksOn: Bool = false) -> Step
    {
        let finished = core.finish(response, for: head)
        let bytes = finished.bodyByteCount
        if let rest = response.rest {
            return stream(finished, then: rest, holding: bodyBytes, length: nil, workers)
        }
        if let events = response.events { return watch(finished, events) }
        if bytes >= Transaction.piecemealReply, !omitsBody(finished), !worksOn {
            return stream(finished, then: NothingMore(), holding: 0, length: bytes, workers)
        }
        if !worksOn { memory.share.settle(at: bytes > Transaction.uncountedReply ? bytes : 0) }
        replyBytes = omitsBody(finished) ? 0 : bytes
        guard connection.replyBegins(bytes: replyBytes, holding: memory.share, now: .now) else {
            return .close
        }
        status = finished.status
        notes = finished.notes
        stage = .replying
        return .reply(finished, closing: closing || core.isDraining)
    }

    private func stream(
        _ finished: Response, then rest: any BodySource, holding bodyBytes: Int, length: Int?,
        _ workers: WorkerPool?
    ) -> Step {
        guard connection.streamBegins(holding: memory.share, now: .now) else { return .close }
        status = finished.status
        notes = finished.notes
        stage = .replying
        isStreamed = true
        let stream = ReplyStream(
            finished.body, then: rest, to: connection, in: turn, madeBy: workers ?? core.longWorkers,
            share: memory.share, holding: bodyBytes)
        var head = finished
        // The stream alone has it, and lets go of what is sent.
        head.body = []
        head.rest = nil
        return .stream(head, stream, length: length, closing: closing || core.isDraining)
    }

    private func watch(_ finished: Response, _ events: EventStream) -> Step {
        memory.share.release()
        guard connection.eventsBegin(events, now: .now) else { return .close }
        // A drain that began meanwhile may not have met it.
        if core.isDraining { connection.finishEvents() }
        status = finished.status
        notes = finished.notes
        stage = .replying
        isStreamed = true
        var head = finished
        head.events = nil
        return .stream(head, events, length: nil, closing: closing || core.isDraining)
    }

    /// Has work done by these workers, and by others what turns out to be long.
    private func hand(
        over workers: WorkerPool, expected: Duration = .zero, _ work: @escaping @Sendable () -> Weighed
    ) -> Step {
        guard connection.workBegins(head) else { return .close }
        stage = .working
        let job = WorkTurn(for: self.head, core, connection, turn, workers).job(work)
        return .suspend(job, workers, expected: expected) { [self] in
            connection.deliver(
                WorkResult(answer: .response(core.queueIsFull.response(core.render, head))), in: turn)
        }
    }
}
