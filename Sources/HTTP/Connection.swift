import Glibc
import HTTPTypes

/// One open socket, as the threads that meet on it see it: its I/O thread, a worker, the reaper and a drain.
///
/// All of them act only after reading the phase under the lock, so each answer is given once and a socket is
/// never touched after libmicrohttpd has closed it: closing takes the lock, too.
final class Connection: Sendable {
    private let socket: Int32
    /// See ``Exchange/client``.
    let client: String?
    private let daemonConnection: DaemonConnection
    /// False over TLS, where a reply not made by the library would break into its records.
    let canAnswerRaw: Bool
    private let state: Monitor<State>

    private struct State {
        var phase: Phase {
            didSet { sawEnd = false }
        }
        /// Whether the reaper found the client's half closed since the phase last changed.
        var sawEnd = false
        /// Of the request that is being served.
        var deadline: Deadline?
        /// Which request that is, counted on this connection. Work that was answered in its place may still go on while
        /// the client's next request is served: neither its result nor its wish to go on concerns that one.
        var turn = 0
        /// Whether the client may be sending and must still get to read its answer when the library closes.
        var lingers = false
    }

    private struct Deadline {
        let moment: Moment
        let limit: Duration
    }

    init(socket: Int32, _ daemonConnection: DaemonConnection, canAnswerRaw: Bool, now: Moment) {
        self.socket = socket
        client = daemonConnection.client
        self.canAnswerRaw = canAnswerRaw
        self.daemonConnection = daemonConnection
        state = Monitor(State(phase: .resting(since: now, isNew: true)))
    }

    // On the I/O thread.

    func requestLineArrived(_ target: [UInt8], now: Moment) {
        state.withLock { state in
            if state.phase.isOver { return }
            // A new connection's time began with it, not with the end of its request line.
            let opened: Moment? =
                if case .resting(let since, isNew: true) = state.phase { since } else { nil }
            state.phase = .head(target: target, since: opened ?? now)
        }
    }

    /// The target noted by ``requestLineArrived(_:now:)``.
    var target: [UInt8] {
        state.withLock { if case .head(let target, _) = $0.phase { target } else { [] } }
    }

    /// - Parameter limit: how long the request may take from now on.
    /// - Returns: the request's turn, by which its work speaks of it.
    func headArrived(_ head: RequestHead, now: Moment, limit: Duration) -> Int {
        state.withLock { state in
            state.turn += 1
            if state.phase.isOver { return state.turn }
            state.phase = .body(head, received: 0, since: now)
            state.deadline = Deadline(moment: now + limit, limit: limit)
            return state.turn
        }
    }

    /// - Returns: false when the reaper has answered and the request is over.
    func bodyArrived(_ count: Int) -> Bool {
        state.withLock { state in
            switch state.phase {
            case .body(let head, let received, let since):
                state.phase = .body(head, received: received + count, since: since)
                return true
            case .lingering: return true
            default: return false
            }
        }
    }

    /// - Returns: false when the reaper has answered and the request is over.
    func bodyEnded() -> Bool {
        advance(to: .answering)
    }

    /// Call before suspending; ends with ``deliver(_:in:)``.
    func workBegins(_ head: RequestHead) -> Bool {
        advance(to: .working(head))
    }

    /// What ``deliver(_:in:)`` brought.
    func takeWork() -> WorkResult? {
        state.withLock { if case .worked(let result) = $0.phase { result } else { nil } }
    }

    /// - Returns: false when the reaper or a drain was faster.
    func replyBegins(bytes: Int, now: Moment) -> Bool {
        advance(to: .replying(bytes: bytes, since: now))
    }

    /// - Returns: false when the reaper or a drain was faster.
    func streamBegins(now: Moment) -> Bool {
        advance(to: .streaming(bytes: 0, spent: .zero, since: now))
    }

    /// The library has handed everything so far to the kernel and asks for more of a streamed body; suspends when there
    /// is nothing.
    ///
    /// - Parameter read: runs under the lock, so that what wakes the connection finds it suspended.
    func streamContinues(now: Moment, _ read: () -> ReplyStream.Portion) -> ReplyStream.Portion {
        state.withLock { state in
            let (bytes, spent): (Int, Duration)
            switch state.phase {
            case .streaming(let sent, let before, let since): (bytes, spent) = (sent, before + (now - since))
            case .streamPaused(let sent, let before): (bytes, spent) = (sent, before)
            default: return .broken
            }
            let portion = read()
            switch portion {
            case .bytes(let count):
                state.phase = .streaming(bytes: bytes + count, spent: spent, since: now)
            case .nothingYet:
                state.phase = .streamPaused(bytes: bytes, spent: spent)
                daemonConnection.suspend()
            case .end:
                state.phase = .replying(bytes: bytes, since: now - spent)
            case .broken:
                // See ``DaemonResponse``: what the library is then given must not leave.
                shutdown(socket, Int32(SHUT_RDWR))
            }
            return portion
        }
    }

    /// Bytes of a streamed body given to the library.
    var streamedBytes: Int {
        state.withLock { state in
            switch state.phase {
            case .streaming(let bytes, _, _), .streamPaused(let bytes, _), .replying(let bytes, _): bytes
            default: 0
            }
        }
    }

    /// Answers in the middle of a body.
    ///
    /// - Returns: whether the whole reply was taken by the kernel.
    func answer(_ reply: RawReply, now: Moment) -> Bool {
        state.withLock { state in
            if state.phase.isOver { return false }
            state.phase = .lingering(since: now)
            return reply.send(to: socket)
        }
    }

    /// - Returns: how the server ended the request, if it did.
    func requestEnded(now: Moment) -> Phase.Cut? {
        state.withLock { state in
            state.deadline = nil
            if case .cut(let cut) = state.phase { return cut }
            state.phase = .resting(since: now, isNew: false)
            return nil
        }
    }

    /// The library will answer now and close, while the client may be sending: the socket stays open for a while, lest
    /// a reset overtake the answer.
    func lingersWhenClosed() {
        state.withLock { $0.lingers = true }
    }

    /// - Returns: the socket if it must stay open, still the library's to close.
    func closed() -> Int32? {
        state.withLock { state in
            let mayLinger = state.lingers && !state.phase.isOver
            state.phase = .closed
            return mayLinger ? socket : nil
        }
    }

    @discardableResult
    private func advance(to next: Phase) -> Bool {
        state.withLock { state in
            if state.phase.isOver { return false }
            state.phase = next
            return true
        }
    }

    // On a worker.

    /// Whether someone still waits for the work of a request, here, on a worker or while its answer is streamed: nobody
    /// has answered in its place and the client is there.
    ///
    /// A client that has only shut down its sending half counts as gone, as with most servers: the two look
    /// the same until something is sent.
    func isWaiting(in turn: Int) -> Bool {
        state.withLock { state in
            guard state.turn == turn else { return false }
            return switch state.phase {
            case .working, .streaming, .streamPaused: isPeerThere
            // Light work is answered whatever the client did after its last byte, such as closing its sending half.
            case .answering: true
            default: false
            }
        }
    }

    private var isPeerThere: Bool {
        var descriptor = pollfd(fd: socket, events: Self.peerClosed, revents: 0)
        return unsafe poll(&descriptor, 1, 0) == 0
    }

    /// POLLRDHUP, which the C library declares for _GNU_SOURCE only.
    private static let peerClosed: Int16 = 0x2000

    /// Hands the answer to the I/O thread, unless the request is over. Resuming happens under the lock so that
    /// nobody stops the daemon between the two.
    func deliver(_ result: WorkResult, in turn: Int) {
        state.withLock { state in
            guard state.turn == turn, case .working = state.phase else { return }
            state.phase = .worked(result)
            daemonConnection.resume()
        }
    }

    /// There is more of the streamed body, or there will be none.
    func resumeStream() {
        state.withLock { state in
            guard case .streamPaused(let bytes, let spent) = state.phase else { return }
            state.phase = .streaming(bytes: bytes, spent: spent, since: .now)
            daemonConnection.resume()
        }
    }

    // On the reaper's thread.

    /// Ends what has taken too long, and what the client has left without the I/O thread hearing of it:
    /// libmicrohttpd asks for changes only, and misses the end that comes together with the last bytes.
    func reap(now: Moment, limits: TimeLimits, answer: (Refusal, RequestHead?) -> Response) {
        state.withLock { state in
            if let deadline = state.deadline, now > deadline.moment {
                let refusal = Refusal.deadlineExceeded(limit: deadline.limit)
                if end(&state, .timeout, answering: { answer(refusal, $0) }) {
                    state.deadline = nil
                    return
                }
                // Nothing to end now, but work or a stream may follow, for which it is over as well.
            }
            guard let limit = state.phase.limit(limits) else { return }
            if now - state.phase.start(or: now) > limit {
                var status: HTTPResponse.Status?
                switch state.phase {
                case .head:
                    status = send(answer(.headersTooSlow(limit: limits.header), nil), nil)
                case .body(let head, let received, _):
                    let refusal = Refusal.bodyTooSlow(received: received, declared: head.contentLength)
                    status = send(answer(refusal, head), head)
                default:
                    break
                }
                cut(&state, .timeout, status)
            } else if state.phase.isReading, isAtEnd {
                // Twice without a change between: the I/O thread is not just about to read it.
                if state.sawEnd { cut(&state, .clientGone) }
                state.sawEnd = true
            }
        }
    }

    /// - Returns: the status, unless only the library can write to this client.
    private func send(_ response: Response, _ head: RequestHead?) -> HTTPResponse.Status? {
        guard canAnswerRaw else { return nil }
        _ = RawReply(response, omittingBody: head?.method == .head).send(to: socket)
        return response.status
    }

    /// Ends a request that is being served, with an answer where one can still be given.
    ///
    /// - Returns: false when there is none, or its answer is about to be queued.
    private func end(
        _ state: inout State, _ ending: Exchange.Ending, answering answer: (RequestHead) -> Response
    ) -> Bool {
        switch state.phase {
        case .working(let head):
            state.phase = .worked(WorkResult(answer: .inPlaceOfWork(answer(head))))
            daemonConnection.resume()
        case .body(let head, _, _):
            cut(&state, ending, send(answer(head), head))
        case .streamPaused:
            // The library finds the connection cut when it asks for more.
            cut(&state, ending)
            daemonConnection.resume()
        case .replying, .streaming:
            cut(&state, ending)
        case .resting, .head, .answering, .worked, .lingering, .cut, .closed:
            return false
        }
        return true
    }

    private func cut(
        _ state: inout State, _ ending: Exchange.Ending, _ status: HTTPResponse.Status? = nil
    ) {
        state.phase = .cut(Phase.Cut(ending: ending, status: status))
        shutdown(socket, Int32(SHUT_RDWR))
    }

    /// Whether the client has closed its half and nothing is left to read.
    private var isAtEnd: Bool {
        var byte: UInt8 = 0
        return unsafe recv(socket, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) == 0
    }

    /// The grace is over: answers what waits, closes what stalls.
    func abandon(answering response: (RequestHead) -> Response) {
        state.withLock { state in
            if end(&state, .abandoned, answering: response) { return }
            switch state.phase {
            case .resting, .head, .answering, .lingering: cut(&state, .abandoned)
            // A stream that begins now would be suspended when the library stops, which that does not survive.
            case .worked(let result) where result.beginsStream: cut(&state, .abandoned)
            default: break
            }
        }
    }
}
