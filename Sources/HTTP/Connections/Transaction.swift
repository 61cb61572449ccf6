import HTTPTypes

/// One request, from its complete header to the last byte of its answer, on its I/O thread.
///
/// Confined to that thread and independent of libmicrohttpd: every event returns a ``Step`` for the caller to carry
/// out.
final class Transaction {
    enum Step {
        /// Wait for more.
        case goOn
        case reply(Response, closing: Bool)
        /// `length` is the length of the body, if known.
        case stream(Response, any StreamedBody, length: Int?, closing: Bool)
        /// Suspend the connection and submit the job to these workers. Call `refused` if they accept no more.
        case suspend(WorkerPool.Job, WorkerPool, expected: Duration, refused: () -> Void)
        case close
    }

    private enum Stage {
        case begun
        case receiving(any BodySink, limit: Int)
        /// The answer is known, and the rest of the body is short enough to read, which keeps the connection.
        case discarding(Response)
        /// The answer is known but cannot be sent in the middle of a body. The body is read to its end, up to the
        /// route's limit.
        case outlasting(Response, left: Int)
        case working
        case replying
    }

    /// A client with a larger body learns immediately that the queue is full, not after it has sent everything.
    private static let smallBody = 1 << 20

    /// Replies up to this size are not counted: every connection has that much memory anyway, and most of them leave
    /// at once.
    private static let uncountedReply = 16 << 10
    /// Larger replies go to the library piece by piece, so that the memory of sent pieces is freed.
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

    /// Handles the complete header. An answer in this call closes the connection, so most answers wait for the next
    /// call.
    func begin(refusing refusal: Refusal?) -> Step {
        let limit = core.configuration.requestTimeout
        turn = connection.headArrived(head, now: started, limit: min(limit, head.timeout ?? limit))
        // To the library, a trailer line that begins with a NUL looks like the line that ends the trailer, and nothing
        // distinguishes the two afterwards. Therefore the server reads no request after a chunked body.
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

    /// Handles a piece of the body, which is never empty.
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

    /// Handles the end of the body, or the resumption of the connection.
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

    /// Handles the end of the request, for whatever reason.
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

    /// Gives an answer before the whole body has arrived, in the way that suits the rest of the body.
    private func settle(_ response: Response) -> Step {
        // The sink still exists but accepts nothing more.
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
            // The client waits for 100-continue. The answer takes its place.
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
        // The library does not know of the answer and closes. The lingering sockets discard what the client still
        // sends.
        if wasAnsweredRaw { connection.lingersWhenClosed() }
        return .close
    }

    /// Answers over TLS, where only the library can: before a body, or after it.
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

    /// Returns whether the body only determines its length (RFC 9110, section 8.6). The library handles this case.
    private func omitsBody(_ response: Response) -> Bool {
        head.method == .head || response.status == .notModified
    }

    /// - Parameters:
    ///   - workers: the pool that makes the rest of a streamed reply.
    ///   - worksOn: whether a worker is still running and holds its claim.
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
        // From here on only the stream holds the body, so each piece is freed when it is sent.
        head.body = []
        head.rest = nil
        return .stream(head, stream, length: length, closing: closing || core.isDraining)
    }

    private func watch(_ finished: Response, _ events: EventStream) -> Step {
        memory.share.release()
        guard connection.eventsBegin(events, now: .now) else { return .close }
        // A drain that has begun meanwhile may have missed this reply.
        if core.isDraining { connection.finishEvents() }
        status = finished.status
        notes = finished.notes
        stage = .replying
        isStreamed = true
        var head = finished
        head.events = nil
        return .stream(head, events, length: nil, closing: closing || core.isDraining)
    }

    /// Submits work to these workers. They pass work that turns out to be long to the others.
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
