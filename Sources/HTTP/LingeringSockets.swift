import Glibc
import Locking

/// Sockets that the library closes after an answer its client may not have read, because it was sending.
///
/// Closing a socket with unread bytes resets the connection, and a reset makes the client's system forget what it has
/// received (RFC 9112, section 9.6). So a second descriptor keeps the socket open, and what arrives is thrown away
/// unread, until the client closes, for a time, and up to a number of bytes.
final class LingeringSockets: Sendable {
    private struct Entry {
        let socket: Int32
        let since: Moment
        var left: Int
    }

    private struct State {
        var entries: [Entry] = []
        /// In the hands of a sweep, which must not keep an I/O thread from adding.
        var swept = 0
    }

    private let limit: Duration
    private let bytes: Int
    private let state = Monitor(State())

    /// - Parameters: how long and for how many bytes each stays open at most.
    init(for limit: Duration, bytes: Int) {
        self.limit = limit
        self.bytes = bytes
    }

    deinit {
        for entry in state.withLock(\.entries) { Glibc.close(entry.socket) }
    }

    /// Says that nothing more will come, and keeps the socket although its owner closes it. Out of descriptors, it does
    /// not.
    func keep(_ socket: Int32) {
        shutdown(socket, Int32(SHUT_WR))
        let copy = fcntl(socket, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { return }
        state.withLock { $0.entries.append(Entry(socket: copy, since: .now, left: bytes)) }
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
        for index in entries.indices { entries[index].left -= Self.discard(from: entries[index]) }
        let isOver = { (entry: Entry) in entry.left <= 0 || now - entry.since > self.limit }
        for entry in entries where isOver(entry) { Glibc.close(entry.socket) }
        entries.removeAll(where: isOver)
        state.withLock(waking: .everybody) { state in
            state.swept -= count
            state.entries += entries
        }
    }

    /// Sweeps until none is left; call when no more will come.
    func finish() {
        let isOver = { () -> Bool in
            self.state.wait(atMost: .milliseconds(20)) { $0.entries.isEmpty && $0.swept == 0 ? true : nil }
                ?? false
        }
        repeat { sweep(now: .now) } while !isOver()
    }

    /// - Returns: how much has come, or all that may when nothing more will.
    private static func discard(from entry: Entry) -> Int {
        unsafe withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { buffer in
            var discarded = 0
            while discarded < entry.left {
                let count = unsafe recv(
                    entry.socket, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
                if count < 0, errno == EAGAIN { break }
                guard count > 0 else { return entry.left }
                discarded += count
            }
            return discarded
        }
    }
}
