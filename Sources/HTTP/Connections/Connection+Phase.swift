import HTTPTypes

extension Connection {
    enum Phase {
        /// Between requests; new until the first one.
        case resting(since: Moment, isNew: Bool)
        /// The request line has arrived, the rest of the head has not.
        case head(target: [UInt8], since: Moment)
        case body(RequestHead, received: Int, since: Moment)
        /// The whole request is here and its endpoint is at it.
        case answering
        /// Answered in mid-body; what still arrives is thrown away.
        case lingering(since: Moment)
        /// Suspended until a worker has the answer.
        case working(RequestHead)
        case worked(WorkResult)
        case replying(bytes: Int, since: Moment)
        /// The client takes what has been made of a streamed body; `spent` on that until `since`.
        case streaming(bytes: Int, spent: Duration, since: Moment)
        /// Suspended until there is more of a streamed body.
        case streamPaused(bytes: Int, spent: Duration)
        /// The client takes what has been published; nothing was taken of it since.
        case watching(EventStream, bytes: Int, since: Moment)
        /// Suspended until there is an event.
        case watchPaused(EventStream, bytes: Int, since: Moment)
        /// The server ended it; libmicrohttpd will notice.
        case cut(Cut)
        case closed
    }
}

extension Connection.Phase {
    /// How the server ended a request, and the status of the answer that was still sent.
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

    /// How long this phase may last; nil when that is not the client's doing.
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

/// What a worker made of a job, and how long it took.
struct WorkResult: Sendable {
    enum Answer: Sendable {
        case response(Response)
        /// The server's own, because the work took too long: it may still be going on.
        case inPlaceOfWork(Response)
        /// The client had left before its turn.
        case clientGone
    }

    var answer: Answer
    var queue: Duration = .zero
    var work: Duration = .zero
    /// Who did it, and makes the rest.
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

    /// For so many bytes that have moved: the base and what the minimum rate allows.
    func transfer(of bytes: Int) -> Duration {
        transferBase + .seconds(Double(bytes) / Double(max(1, bytesPerSecond)))
    }

    /// A client that takes longer for so many bytes is a slow reader: at a rate of sixteen times the least, a second.
    func swiftTransfer(of bytes: Int) -> Duration {
        min(.seconds(1), transferBase) + .seconds(Double(bytes) / Double(max(1, bytesPerSecond)) / 16)
    }
}
