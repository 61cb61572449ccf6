import Glibc
import HTTPTypes
import Locking

/// One open socket, shared by its I/O thread, a worker, the reaper and a drain.
///
/// Each of them reads the phase under the lock before it acts, and closing takes the lock, too. Therefore each answer
/// is sent once, and no thread touches a socket after libmicrohttpd has closed it.
final class Connection: Sendable {
    let socket: Int32
    /// See ``Exchange/client``.
    let client: String?
    let daemonConnection: DaemonConnection
    /// A Boolean value indicating whether this module may write to the socket itself. False over TLS, where only the
    /// library can encrypt.
    let canAnswerRaw: Bool
    let state: Monitor<State>

    struct State {
        var phase: Phase {
            didSet { sawEnd = false }
        }
        /// Whether the reaper found the client's half closed since the phase last changed.
        var sawEnd = false
        /// The deadline of the current request.
        var deadline: Deadline?
        /// The number of the current request on this connection. Work that was answered in its place may still run
        /// while the client's next request is served. Its turn keeps its result from answering that request.
        var turn = 0
        /// The memory that the answer holds while it is sent.
        var share: MemoryShare?
        /// Whether the socket must outlive the library's close, because the client may still be sending and must be
        /// able to read its answer.
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

    /// - Parameter limit: the time that the request may take from now on.
    /// - Returns: the request's turn, which identifies it to ``deliver(_:in:)``.
    func headArrived(_ head: RequestHead, now: Moment, limit: Duration) -> Int {
        state.withLock { state in
            state.turn += 1
            if state.phase.isOver { return state.turn }
            state.phase = .body(head, received: 0, since: now)
            state.deadline = Deadline(moment: now + limit, limit: limit)
            return state.turn
        }
    }

    /// - Returns: false if the reaper has answered, so that the request is over.
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

    /// Call before suspending. The wait ends with ``deliver(_:in:)``.
    func workBegins(_ head: RequestHead) -> Bool {
        advance(to: .working(head))
    }

    /// Takes the result that ``deliver(_:in:)`` brought.
    func takeWork() -> WorkResult? {
        state.withLock { if case .worked(let result) = $0.phase { result } else { nil } }
    }

    /// - Returns: false if the reaper or a drain has already ended the request.
    func replyBegins(bytes: Int, holding share: MemoryShare, now: Moment) -> Bool {
        advance(to: .replying(bytes: bytes, since: now), holding: share)
    }

    /// - Returns: false when the reaper or a drain was faster.
    func streamBegins(holding share: MemoryShare, now: Moment) -> Bool {
        advance(to: .streaming(bytes: 0, spent: .zero, since: now), holding: share)
    }

    /// Reads more of a streamed body once the library has passed everything so far to the kernel. Suspends the
    /// connection if there is nothing yet.
    ///
    /// - Parameter read: runs under the lock, so that a wake-up always finds the connection suspended.
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
                // The byte that ``DaemonResponse`` then gives the library must not be sent.
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
    /// - Returns: whether the kernel accepted the whole reply.
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

    /// Keeps the socket open for a while after the library has answered and closed. The client may still be sending,
    /// and a reset could overtake the answer.
    func lingersWhenClosed() {
        state.withLock { $0.lingers = true }
    }

    /// - Returns: the socket if it must stay open. The library still closes its own descriptor.
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

    /// Returns whether the client still waits for this request: no other thread has answered in its place, and the
    /// client is connected.
    ///
    /// A client that has shut down only its sending half counts as gone, as in most servers. The two are
    /// indistinguishable until something is sent.
    func isWaiting(in turn: Int) -> Bool {
        state.withLock { state in
            guard state.turn == turn else { return false }
            return switch state.phase {
            case .working, .streaming, .streamPaused: isPeerThere
            // Light work is always answered, even if the client closed its sending half after its last byte.
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

    /// Passes the answer to the I/O thread unless the request is over. Resumes under the lock, so that the daemon
    /// cannot be stopped in between.
    func deliver(_ result: WorkResult, in turn: Int) {
        state.withLock { state in
            guard state.turn == turn, case .working = state.phase else { return }
            state.phase = .worked(result)
            daemonConnection.resume()
        }
    }

    /// Wakes the connection: there is more of the streamed body, or there will be no more.
    func resumeStream() {
        state.withLock { state in
            guard case .streamPaused(let bytes, let spent) = state.phase else { return }
            state.phase = .streaming(bytes: bytes, spent: spent, since: .now)
            daemonConnection.resume()
        }
    }
}
