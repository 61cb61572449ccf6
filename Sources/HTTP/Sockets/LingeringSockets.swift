import Glibc
import Locking
import Parallelism

/// Sockets that the library has closed although the client may not have read its answer, because it was still sending.
///
/// Closing a socket with unread bytes resets the connection, and a reset makes the client's system discard what it has
/// received (RFC 9112, section 9.6). Over TLS, clients that read only after they have sent everything treat a reset as
/// a broken connection. Therefore a second descriptor keeps the socket open and discards what arrives, over TLS without
/// decrypting it. This ends when the client closes, sends nothing for a while, is slower than the minimum rate, or has
/// sent a certain number of bytes.
final class LingeringSockets: Sendable {
    private struct Entry {
        let socket: Int32
        let since: Moment
        /// The time at which bytes last arrived.
        var last: Moment
        var discarded = 0
    }

    private struct State {
        var entries: [Entry] = []
        /// Sockets that a sweep is reading. They are kept apart, so that an I/O thread can add others meanwhile.
        var swept = 0
        var isWatched = true
    }

    private let idle: Duration
    private let bytes: Int
    private let whole: @Sendable (Int) -> Duration
    private let state = Monitor(State())

    /// - Parameters:
    ///   - idle: the time for which a socket stays open while nothing arrives.
    ///   - bytes: the largest number of bytes to discard.
    ///   - whole: returns the longest time for which a socket stays open after this number of bytes.
    init(idle: Duration, bytes: Int, whole: @escaping @Sendable (Int) -> Duration) {
        self.idle = idle
        self.bytes = bytes
        self.whole = whole
    }

    deinit {
        for entry in state.withLock(\.entries) { Glibc.close(entry.socket) }
    }

    /// The number of sockets. Each occupies a file descriptor.
    var count: Int { state.withLock { $0.entries.count + $0.swept } }

    /// Shuts down the sending half, and keeps the socket open although its owner closes it. If no descriptor is left,
    /// it is not kept.
    func keep(_ socket: Int32) {
        shutdown(socket, Int32(SHUT_WR))
        let copy = fcntl(socket, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { return }
        let now = Moment.now
        state.withLock(waking: .everybody) {
            $0.entries.append(Entry(socket: copy, since: now, last: now))
        }
    }

    /// Starts a thread that sweeps as soon as bytes arrive. With sweeps at fixed times, a client could send no more
    /// between two of them than its socket's buffer holds.
    func watch() throws(ThreadError) {
        try PosixThread.start(named: "lingering") { [self] in
            while true {
                let sockets = state.wait { state -> [Int32]? in
                    if !state.isWatched { return [] }
                    return state.entries.isEmpty ? nil : state.entries.map(\.socket)
                }
                if sockets.isEmpty { return }
                var files = sockets.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
                // Sockets that are added meanwhile wait this long.
                let found = unsafe poll(&files, nfds_t(files.count), 20)
                sweep(now: .now)
                // If the kernel has no memory for the call, the loop must not spin.
                if found < 0 { _ = state.wait(atMost: .milliseconds(20)) { $0.isWatched ? nil : true } }
            }
        }
    }

    /// Ends the thread. Sockets that are left stay open until ``finish(atMost:)``, or until this object is released.
    func stopWatching() {
        state.withLock(waking: .everybody) { $0.isWatched = false }
    }

    /// Discards what has arrived, and closes sockets that are done.
    func sweep(now: Moment) {
        var entries = state.withLock { state in
            defer { state.entries = [] }
            state.swept += state.entries.count
            return state.entries
        }
        let count = entries.count
        guard count > 0 else { return }
        for index in entries.indices {
            let came = Self.discard(from: entries[index].socket, atMost: bytes - entries[index].discarded)
            if came > 0 { entries[index].last = now }
            entries[index].discarded += came
        }
        let isOver = { [idle, bytes, whole] (entry: Entry) in
            entry.discarded >= bytes || now - entry.last > idle
                || now - entry.since > whole(entry.discarded)
        }
        for entry in entries where isOver(entry) { Glibc.close(entry.socket) }
        entries.removeAll(where: isOver)
        state.withLock(waking: .everybody) { state in
            state.swept -= count
            state.entries += entries
        }
    }

    /// Sweeps until no socket is left or the time is over. Call this when no more will be added.
    func finish(atMost limit: Duration) {
        let end = Moment.now + limit
        let isOver = { () -> Bool in
            self.state.wait(atMost: .milliseconds(20)) { $0.entries.isEmpty && $0.swept == 0 ? true : nil }
                ?? false
        }
        repeat { sweep(now: .now) } while !isOver() && Moment.now < end
    }

    /// The number of bytes to discard from one socket before the next one's turn.
    private static let turn = 4 << 20

    /// - Returns: the number of bytes that have arrived, or the largest allowed number if the client has closed.
    private static func discard(from socket: Int32, atMost left: Int) -> Int {
        unsafe withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 16) { buffer in
            var discarded = 0
            while discarded < min(left, turn) {
                // TCP discards without copying (tcp(7), MSG_TRUNC). Other sockets copy.
                let count = unsafe recv(
                    socket, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT | MSG_TRUNC))
                if count < 0, errno == EAGAIN || errno == EINTR { break }
                guard count > 0 else { return left }
                discarded += count
            }
            return discarded
        }
    }
}
