import Glibc
import Locking
import Parallelism

/// Sockets that the library has closed after an answer its client may not have read, because it was sending.
///
/// Closing a socket with unread bytes resets the connection, and a reset makes the client's system forget what it has
/// received (RFC 9112, section 9.6); over TLS, clients that only read once they have sent all take a reset for a broken
/// connection whatever they received. So a second descriptor keeps the socket open, and what arrives is thrown away
/// unread – over TLS undeciphered – until the client closes, sends nothing for a time, is slower than a wanted body may
/// be, or has sent a number of bytes.
final class LingeringSockets: Sendable {
    private struct Entry {
        let socket: Int32
        let since: Moment
        /// When something came last.
        var last: Moment
        var discarded = 0
    }

    private struct State {
        var entries: [Entry] = []
        /// In the hands of a sweep, which must not keep an I/O thread from adding.
        var swept = 0
        var isWatched = true
    }

    private let idle: Duration
    private let bytes: Int
    private let whole: @Sendable (Int) -> Duration
    private let state = Monitor(State())

    /// - Parameters:
    ///   - idle: how long each stays open while nothing comes.
    ///   - bytes: how many it takes at most.
    ///   - whole: how long it stays open at most, when so many have come.
    init(idle: Duration, bytes: Int, whole: @escaping @Sendable (Int) -> Duration) {
        self.idle = idle
        self.bytes = bytes
        self.whole = whole
    }

    deinit {
        for entry in state.withLock(\.entries) { Glibc.close(entry.socket) }
    }

    /// Each takes a file descriptor.
    var count: Int { state.withLock { $0.entries.count + $0.swept } }

    /// Says that nothing more will come, and keeps the socket although its owner closes it. Out of descriptors, it does
    /// not.
    func keep(_ socket: Int32) {
        shutdown(socket, Int32(SHUT_WR))
        let copy = fcntl(socket, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { return }
        let now = Moment.now
        state.withLock(waking: .everybody) {
            $0.entries.append(Entry(socket: copy, since: now, last: now))
        }
    }

    /// Sweeps as soon as something comes, on a thread of its own: between looks at fixed times a client could send no
    /// more than its socket's buffer holds.
    func watch() throws(ThreadError) {
        try PosixThread.start(named: "lingering") { [self] in
            while true {
                let sockets = state.wait { state -> [Int32]? in
                    if !state.isWatched { return [] }
                    return state.entries.isEmpty ? nil : state.entries.map(\.socket)
                }
                if sockets.isEmpty { return }
                var files = sockets.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
                // Sockets that come meanwhile wait so long.
                let found = unsafe poll(&files, nfds_t(files.count), 20)
                sweep(now: .now)
                // A kernel out of memory for it must not make this spin.
                if found < 0 { _ = state.wait(atMost: .milliseconds(20)) { $0.isWatched ? nil : true } }
            }
        }
    }

    /// Lets the thread go. What is left stays until ``finish(atMost:)`` or the end of this.
    func stopWatching() {
        state.withLock(waking: .everybody) { $0.isWatched = false }
    }

    /// Throws away what has come, and closes what is over.
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

    /// Sweeps until none is left, or for a time; call when no more will come.
    func finish(atMost limit: Duration) {
        let end = Moment.now + limit
        let isOver = { () -> Bool in
            self.state.wait(atMost: .milliseconds(20)) { $0.entries.isEmpty && $0.swept == 0 ? true : nil }
                ?? false
        }
        repeat { sweep(now: .now) } while !isOver() && Moment.now < end
    }

    /// At once from one socket: others wait meanwhile.
    private static let turn = 4 << 20

    /// - Returns: how much has come, or all that may when nothing more will.
    private static func discard(from socket: Int32, atMost left: Int) -> Int {
        unsafe withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 16) { buffer in
            var discarded = 0
            while discarded < min(left, turn) {
                // TCP throws away without copying (tcp(7), MSG_TRUNC); other sockets copy.
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
