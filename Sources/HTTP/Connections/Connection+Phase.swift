import HTTPTypes

extension Connection {
    enum Phase {
        /// Between requests. `isNew` is true until the first one.
        case resting(since: Moment, isNew: Bool)
        /// The request line has arrived, the rest of the head has not.
        case head(target: [UInt8], since: Moment)
        case body(RequestHead, received: Int, since: Moment)
        /// The request is complete, and its endpoint works on it.
        case answering
        /// Answered in the middle of the body. Further bytes are discarded.
        case lingering(since: Moment)
        /// Suspended until a worker has the answer.
        case working(RequestHead)
        case worked(WorkResult)
        case replying(bytes: Int, since: Moment)
        /// The client reads a streamed body; it had spent `spent` on that until `since`.
        case streaming(bytes: Int, spent: Duration, since: Moment)
        /// Suspended until there is more of a streamed body.
        case streamPaused(bytes: Int, spent: Duration)
        /// The client reads published events; it has read nothing since `since`.
        case watching(EventStream, bytes: Int, since: Moment)
        /// Suspended until there is an event.
        case watchPaused(EventStream, bytes: Int, since: Moment)
        /// The server has ended the request. libmicrohttpd will notice.
        case cut(Cut)
        case closed
    }
}

extension Connection.Phase {
    /// How the server ended a request, with the status of the answer if one was sent.
    struct Cut {
        let ending: Exchange.Ending
        var status: HTTPResponse.Status?
    }

    var isOver: Bool {
        switch self {
        case .cut, .closed: true
        default: false
        }
    }

    /// Whether the server waits for bytes from the client.
    var isReading: Bool {
        switch self {
        case .resting, .head, .body, .lingering: true
        default: false
        }
    }

    func start(or now: Moment) -> Moment {
        switch self {
        case .resting(let since, _), .head(_, let since), .body(_, _, let since), .lingering(let since),
            .replying(_, let since), .streaming(_, _, let since), .watching(_, _, let since):
            since
        case .answering, .working, .worked, .streamPaused, .watchPaused, .cut, .closed: now
        }
    }

    /// The longest time for this phase; nil if the client does not determine it.
    func limit(_ limits: TimeLimits) -> Duration? {
        switch self {
        case .resting(_, let isNew): isNew ? limits.header : limits.idle
        case .head: limits.header
        case .body(_, let received, _): limits.transfer(of: received)
        case .lingering: limits.linger
        case .replying(let bytes, _): limits.transfer(of: bytes)
        case .streaming(let bytes, let spent, _): limits.transfer(of: bytes) - spent
        case .answering, .working, .worked, .streamPaused, .watching, .watchPaused, .cut, .closed: nil
        }
    }
}

/// A worker's result, and the time it took.
struct WorkResult: Sendable {
    enum Answer: Sendable {
        case response(Response)
        /// The server's own answer, because the work took too long. The work may still be running.
        case inPlaceOfWork(Response)
        /// The client had left before its turn.
        case clientGone
    }

    var answer: Answer
    var queue: Duration = .zero
    var work: Duration = .zero
    /// The pool that did the work and makes the rest of the reply.
    var workers: WorkerPool?

    /// Whether more of the answer is still to be made.
    var beginsStream: Bool {
        if case .response(let response) = answer { response.rest != nil } else { false }
    }
}

/// How long each phase of a connection may last.
struct TimeLimits: Sendable {
    let header: Duration
    let idle: Duration
    let transferBase: Duration
    let bytesPerSecond: Int
    let linger: Duration
    let pulse: Duration

    init(_ configuration: ServerConfiguration) {
        header = configuration.headerTimeout
        idle = configuration.idleTimeout
        transferBase = configuration.bodyDeadline
        bytesPerSecond = configuration.minimumBytesPerSecond
        pulse = configuration.eventPulse
        linger = min(configuration.bodyDeadline, .seconds(5))
    }

    /// The time limit for this number of bytes: a base, and what the minimum rate allows.
    func transfer(of bytes: Int) -> Duration {
        transferBase + .seconds(Double(bytes) / Double(max(1, bytesPerSecond)))
    }

    /// The time after which a client counts as a slow reader of this number of bytes: a second, plus their time at
    /// sixteen times the minimum rate.
    func swiftTransfer(of bytes: Int) -> Duration {
        min(.seconds(1), transferBase) + .seconds(Double(bytes) / Double(max(1, bytesPerSecond)) / 16)
    }
}
