import CMicroHTTPD
import Glibc
import Locking
import Parallelism
import ProcessFacts

/// The thread that accepts connections and passes them to the daemon.
///
/// It answers connections above the limit immediately. Otherwise they would hang in the kernel's queue.
final class Acceptor: Sendable {
    private let listener: Listener
    private let daemon: Daemon
    private let core: ServerCore
    private let limit: Int
    private let state = Monitor(State.accepting)

    private enum State {
        case accepting, stopping, stopped
    }

    init(_ listener: Listener, for daemon: Daemon, core: ServerCore) throws(ThreadError) {
        self.listener = listener
        self.daemon = daemon
        self.core = core
        limit = max(1, OpenFiles.raiseLimit(for: core.configuration.maxConnections))
        try PosixThread.start(named: "acceptor") { [self] in
            while acceptOne() {}
            state.withLock(waking: .everybody) { $0 = .stopped }
        }
    }

    /// Frees the address. After this returns, no further connection reaches the daemon.
    func stop() {
        state.withLock(waking: .everybody) { state in
            if case .accepting = state { state = .stopping }
        }
        listener.shutDown()
        state.wait { if case .stopped = $0 { () } else { nil } }
        listener.close()
    }

    private func acceptOne() -> Bool {
        var storage = sockaddr_storage()
        return unsafe withUnsafeMutableBytes(of: &storage) { bytes in
            guard let address = unsafe bytes.bindMemory(to: sockaddr.self).baseAddress else { return false }
            var length = socklen_t(bytes.count)
            let socket = unsafe accept4(listener.socket, address, &length, Int32(SOCK_CLOEXEC.rawValue))
            guard socket >= 0 else { return mayGoOn(after: errno) }
            if core.socketCount < limit {
                unsafe daemon.add(socket, address, length)
            } else {
                refuse(socket)
            }
            return true
        }
    }

    private func mayGoOn(after error: Int32) -> Bool {
        switch error {
        case EINVAL, EBADF, ENOTSOCK:
            return false
        case EMFILE, ENFILE, ENOBUFS, ENOMEM:
            // Only time helps. Retrying in a loop would occupy a core.
            return state.wait(atMost: .milliseconds(50)) { if case .accepting = $0 { nil } else { false } }
                ?? true
        default:
            // The client is the cause, for example because it left before it was accepted.
            return state.withLock { if case .accepting = $0 { true } else { false } }
        }
    }

    /// Closes the connection, with an answer unless that needs a TLS handshake.
    private func refuse(_ socket: Int32) {
        defer { close(socket) }
        if core.isSecure { return }
        let refusal = Refusal.busy(.connections(limit), retryAfter: core.configuration.retryAfter)
        let response = core.finish(refusal.response(core.render, nil), for: nil)
        _ = RawReply(response, omittingBody: false).send(to: socket)
    }
}
