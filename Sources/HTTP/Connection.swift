import Glibc
import HTTPTypes
import Synchronization

/// One open socket, as the threads that meet on it see it: its I/O thread, a worker, the reaper and a drain.
///
/// All of them act only after reading the phase under the lock, so each answer is given once and a socket is
/// never touched after libmicrohttpd has closed it: closing takes the lock, too.
final class Connection: Sendable {
    private let socket: Int32
    private let daemonConnection: DaemonConnection
    private let state: Mutex<Phase>

    enum Phase {
        /// Between requests; new until the first one.
        case resting(since: Moment, isNew: Bool)
        /// The request line has arrived, the rest of the head has not.
        case head(target: [UInt8], since: Moment)
        case body(RequestHead, received: Int, since: Moment)
        /// Answered in mid-body; what still arrives is thrown away.
        case lingering(since: Moment)
        /// Suspended until a worker has the answer.
        case working(RequestHead)
        case worked(WorkResult)
        case replying(bytes: Int, since: Moment)
        /// The server ended it; libmicrohttpd will notice.
        case cut(Exchange.Ending)
        case closed
    }

    init(socket: Int32, _ daemonConnection: DaemonConnection, now: Moment) {
        self.socket = socket
        self.daemonConnection = daemonConnection
        state = Mutex(.resting(since: now, isNew: true))
    }

    // On the I/O thread.

    func requestLineArrived(_ target: [UInt8], now: Moment) {
        advance(to: .head(target: target, since: now))
    }

    /// The target noted by ``requestLineArrived(_:now:)``.
    var target: [UInt8] {
        state.withLock { if case .head(let target, _) = $0 { target } else { [] } }
    }

    func headArrived(_ head: RequestHead, now: Moment) {
        advance(to: .body(head, received: 0, since: now))
    }

    /// - Returns: false when the reaper has answered and the request is over.
    func bodyArrived(_ count: Int) -> Bool {
        state.withLock { phase in
            switch phase {
            case .body(let head, let received, let since):
                phase = .body(head, received: received + count, since: since)
                return true
            case .lingering: return true
            default: return false
            }
        }
    }

    /// Call before suspending; ends with ``deliver(_:)``.
    func workBegins(_ head: RequestHead) -> Bool {
        advance(to: .working(head))
    }

    /// What ``deliver(_:)`` brought.
    func takeWork() -> WorkResult? {
        state.withLock { if case .worked(let result) = $0 { result } else { nil } }
    }

    /// - Returns: false when the reaper or a drain was faster.
    func replyBegins(bytes: Int, now: Moment) -> Bool {
        advance(to: .replying(bytes: bytes, since: now))
    }

    /// Answers in the middle of a body.
    ///
    /// - Returns: whether the whole reply was taken by the kernel.
    func answer(_ reply: RawReply, now: Moment) -> Bool {
        state.withLock { phase in
            if phase.isOver { return false }
            phase = .lingering(since: now)
            return reply.send(to: socket)
        }
    }

    /// - Returns: how the server ended the request, if it did.
    func requestEnded(now: Moment) -> Exchange.Ending? {
        state.withLock { phase in
            if case .cut(let ending) = phase { return ending }
            phase = .resting(since: now, isNew: false)
            return nil
        }
    }

    var isInHead: Bool {
        state.withLock { if case .head = $0 { true } else { false } }
    }

    func closed() {
        state.withLock { $0 = .closed }
    }

    @discardableResult
    private func advance(to next: Phase) -> Bool {
        state.withLock { phase in
            if phase.isOver { return false }
            phase = next
            return true
        }
    }

    // On a worker.

    /// Whether someone still waits for the work: nobody has answered in its place and the client is there.
    ///
    /// A client that has only shut down its sending half counts as gone, as with most servers: the two look
    /// the same until something is sent.
    var isWaitingForWork: Bool {
        state.withLock { phase in
            guard case .working = phase else { return false }
            var descriptor = pollfd(fd: socket, events: Self.peerClosed, revents: 0)
            return unsafe poll(&descriptor, 1, 0) == 0
        }
    }

    /// POLLRDHUP, which the C library declares for _GNU_SOURCE only.
    private static let peerClosed: Int16 = 0x2000

    /// Hands the answer to the I/O thread, unless the request is over. Resuming happens under the lock so that
    /// nobody stops the daemon between the two.
    func deliver(_ result: WorkResult) {
        state.withLock { phase in
            guard case .working = phase else { return }
            phase = .worked(result)
            daemonConnection.resume()
        }
    }

    // On the reaper's thread.

    /// Ends what has taken too long.
    func reap(now: Moment, limits: TimeLimits, render: (Refusal, RequestHead?) -> RawReply) {
        state.withLock { phase in
            switch phase {
            case .resting(let since, let isNew):
                guard now - since > (isNew ? limits.header : limits.idle) else { return }
            case .head(_, let since):
                guard now - since > limits.header else { return }
                _ = render(.headersTooSlow(limit: limits.header), nil).send(to: socket)
            case .body(let head, let received, let since):
                guard now - since > limits.transfer(of: received) else { return }
                _ = render(.bodyTooSlow(received: received, declared: head.contentLength), head).send(
                    to: socket)
            case .lingering(let since):
                guard now - since > limits.linger else { return }
            case .replying(let bytes, let since):
                guard now - since > limits.transfer(of: bytes) else { return }
            case .working, .worked, .cut, .closed:
                return
            }
            phase = .cut(.timeout)
            shutdown(socket, Int32(SHUT_RDWR))
        }
    }

    /// The grace is over: answers what waits, closes what stalls.
    func abandon(answering response: (RequestHead) -> Response) {
        state.withLock { phase in
            switch phase {
            case .working(let head):
                phase = .worked(WorkResult(answer: .response(response(head))))
                daemonConnection.resume()
                return
            case .worked, .cut, .closed:
                return
            case .body(let head, _, _):
                _ = RawReply(response(head), omittingBody: head.method == .head).send(to: socket)
            case .resting, .head, .lingering, .replying:
                break
            }
            phase = .cut(.abandoned)
            shutdown(socket, Int32(SHUT_RDWR))
        }
    }
}

extension Connection.Phase {
    fileprivate var isOver: Bool {
        switch self {
        case .cut, .closed: true
        default: false
        }
    }
}

/// What a worker made of a job, and how long it took.
struct WorkResult: Sendable {
    enum Answer: Sendable {
        case response(Response)
        /// The client had left before its turn.
        case clientGone
    }

    let answer: Answer
    var queue: Duration = .zero
    var work: Duration = .zero
}

/// How long each phase of a connection may last.
struct TimeLimits: Sendable {
    let header: Duration
    let idle: Duration
    let transferBase: Duration
    let bytesPerSecond: Int
    let linger: Duration

    init(_ configuration: ServerConfiguration) {
        header = configuration.headerTimeout
        idle = configuration.idleTimeout
        transferBase = configuration.bodyDeadline
        bytesPerSecond = configuration.minimumBytesPerSecond
        linger = min(configuration.bodyDeadline, .seconds(5))
    }

    /// For so many bytes that have moved: the base and what the minimum rate allows.
    func transfer(of bytes: Int) -> Duration {
        transferBase + .seconds(Double(bytes) / Double(max(1, bytesPerSecond)))
    }
}
