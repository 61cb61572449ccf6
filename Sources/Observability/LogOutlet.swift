import Glibc
import Locking

/// What lines of a log are written to, each of them whole: a file, a terminal, or a pipe to whoever collects them.
///
/// A collector may hang or fall behind, and a terminal may be held. Requests must not wait for that, nor a drain: a line
/// that finds no room, and no ``Patience`` left, is given up. The first for which there is room again comes after another
/// that says how many are missing.
package final class LogOutlet: Sendable {
    private struct State {
        var patience: Patience
        /// Lines given up since the last that was written.
        var lost = 0
        /// Whether one of them was given up in its middle.
        var isTorn = false
    }

    private let descriptor: CInt
    private let isOwn: Bool
    private let state: Monitor<State>

    /// As much fits a pipe that says it has room (PIPE_BUF of Linux, pipe(7)), where it could not be opened once more.
    private static let piece = 4096

    /// - Parameter patience: the longest wait for room.
    package init(_ descriptor: CInt, patience: Duration = .seconds(1)) {
        let own = Self.unblocking(descriptor)
        isOwn = own >= 0
        self.descriptor = isOwn ? own : descriptor
        state = Monitor(State(patience: Patience(atMost: patience)))
    }

    deinit { if isOwn { close(descriptor) } }

    /// A terminal or pipe, opened once more: writing to one that others write to as well may wait although it had room, and
    /// so may a line that is longer than a terminal's. Not to wait is set for all who have it open in common, who would not
    /// expect it.
    /// - Returns: negative where that cannot be; files and sockets stay as they are.
    private static func unblocking(_ descriptor: CInt) -> CInt {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, [S_IFCHR, S_IFIFO].contains(status.st_mode & S_IFMT)
        else { return -1 }
        return unsafe open("/proc/self/fd/\(descriptor)", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
    }

    /// - Parameter loss: the line that tells of so many that are missing.
    package func write(_ line: [UInt8], loss: (Int) -> [UInt8]) {
        state.withLock { state in
            if state.lost > 0 {
                let torn = state.isTorn ? [UInt8(ascii: "\n")] : []
                guard send(torn + loss(state.lost), &state) else { return }
                state.lost = 0
                state.isTorn = false
            }
            _ = send(line, &state)
        }
    }

    /// - Returns: false when it was given up. What can't be written for another reason has nowhere to complain to.
    private func send(_ bytes: [UInt8], _ state: inout State) -> Bool {
        var sent = 0
        while sent < bytes.count {
            guard hasSpace(&state.patience), let count = write(bytes[sent...].prefix(Self.piece)) else {
                state.lost += 1
                if sent > 0 { state.isTorn = true }
                return false
            }
            if count < 0 { return true }
            sent += count
        }
        return true
    }

    /// - Returns: how much was taken; nil for none in spite of some room, as a terminal with room for one byte does with the
    ///   two that end a line, and asking again would not end; negative where writing fails for good.
    private func write(_ bytes: ArraySlice<UInt8>) -> Int? {
        let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
        if count >= 0 { return count }
        return errno == EINTR ? 0 : errno == EAGAIN ? nil : count
    }

    private func hasSpace(_ patience: inout Patience) -> Bool {
        if hasSpace(within: .zero) { return true }
        let begin = SuspendingClock.now
        let found = hasSpace(within: patience.left(at: begin))
        patience.spend(SuspendingClock.now - begin)
        return found
    }

    /// Also where nobody is at the other end any more: writing says so at once.
    private func hasSpace(within limit: Duration) -> Bool {
        let milliseconds = CInt(clamping: Int(limit / .milliseconds(1)))
        while true {
            var file = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            let count = unsafe poll(&file, 1, milliseconds)
            if count >= 0 || errno != EINTR { return count != 0 }
        }
    }
}
