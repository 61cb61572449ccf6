import Glibc
import Locking

/// The destination of log lines: a file, a terminal, or a pipe to a collector. Each line is written as a whole.
///
/// A collector may hang or fall behind, and a terminal may be paused. Neither requests nor a drain must wait for that.
/// If there is no space and no ``Patience`` left, the line is dropped. The next line that fits is preceded by one with
/// the number of missing lines.
package final class LogOutlet: Sendable {
    private struct State {
        var patience: Patience
        /// The number of lines dropped since the last one written.
        var lost = 0
        /// Whether one of them was dropped in its middle.
        var isTorn = false
    }

    private let descriptor: CInt
    private let isOwn: Bool
    private let state: Monitor<State>

    /// The size that fits in a pipe that reports space (PIPE_BUF of Linux, pipe(7)), used if the pipe could not be
    /// reopened.
    private static let piece = 4096

    /// - Parameter patience: the longest wait for space.
    package init(_ descriptor: CInt, patience: Duration = .seconds(1)) {
        let own = Self.unblocking(descriptor)
        isOwn = own >= 0
        self.descriptor = isOwn ? own : descriptor
        state = Monitor(State(patience: Patience(atMost: patience)))
    }

    deinit { if isOwn { close(descriptor) } }

    /// Reopens a terminal or pipe in non-blocking mode. A write could block despite available space if other processes
    /// write too, or if the line exceeds a terminal's. Setting the mode on the shared description would surprise the
    /// other processes.
    /// - Returns: a negative number if that is impossible. Files and sockets are not reopened.
    private static func unblocking(_ descriptor: CInt) -> CInt {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, [S_IFCHR, S_IFIFO].contains(status.st_mode & S_IFMT)
        else { return -1 }
        return unsafe open("/proc/self/fd/\(descriptor)", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
    }

    /// - Parameter loss: returns the line that reports this number of missing lines.
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

    /// - Returns: false if the line was dropped. Other errors are ignored, because there is nowhere to report them.
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

    /// - Returns: the number of bytes written; negative if writing fails permanently. Nil if none were written despite
    ///   some space: a terminal with space for one byte does not accept the two that end a line, and retrying would not
    ///   end.
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

    /// This is also true if the other end is closed, because the write then reports it immediately.
    private func hasSpace(within limit: Duration) -> Bool {
        let milliseconds = CInt(clamping: Int(limit / .milliseconds(1)))
        while true {
            var file = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            let count = unsafe poll(&file, 1, milliseconds)
            if count >= 0 || errno != EINTR { return count != 0 }
        }
    }
}
