import Glibc
import HTTPTypes
import Locking

/// One open socket, as the threads that meet on it see it: its I/O thread, a worker, the reaper and a drain.
///
/// All of them act only after reading the phase under the lock, so each answer is given once and a socket is
/// never touched after libmicrohttpd has closed it: closing takes the lock, too.
final class Connection: Sendable {
    let socket: Int32
    /// See ``Exchange/client``.
    let client: String?
    let daemonConnection: DaemonConnection
    /// False over TLS, where a reply not made by the library would break into its records.
    let canAnswerRaw: Bool
    let state: Monitor<State>

    struct State {
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
        /// What the answer that is being sent holds of the memory budget.
        var share: MemoryShare?
        /// Whether the client may be sending and must still get to read its answer when the library closes.
        var lingers = false
    }

    struct Deadline {
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
    func replyBegins(bytes: Int, holding share: MemoryShare, now: Moment) -> Bool {
        advance(to: .replying(bytes: bytes, since: now), holding: share)
    }

    /// - Returns: false when the reaper or a drain was faster.
    func streamBegins(holding share: MemoryShare, now: Moment) -> Bool {
        advance(to: .streaming(bytes: 0, spent: .zero, since: now), holding: share)
    }

    /// The library has handed everything so far to the kernel and asks for more of a streamed body; suspends when there
    /// is nothing.
    ///
    /// - Parameter read: runs under the lock, so that what wakes the connection finds it suspended.
    func streamContinues(now: Moment, _ read: () -> StreamPortion) -> StreamPortion {
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
            case .streaming(let bytes, _, _), .streamPaused(let bytes, _), .replying(let bytes, _),
                .watching(_, let bytes, _), .watchPaused(_, let bytes, _):
                bytes
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
            state.share = nil
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
    private func advance(to next: Phase, holding share: MemoryShare? = nil) -> Bool {
        state.withLock { state in
            if state.phase.isOver { return false }
            state.phase = next
            state.share = share
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

    var isPeerThere: Bool {
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
}
