import Glibc
import HTTP
import Locking
import Parallelism

/// Detects when the last process that can write to a pipe has ended, even by SIGKILL.
final class ParentWatch: Sendable {
    let descriptor: Int32
    private let ended = Monitor(false)

    /// Whether the end has been detected.
    var sawEnd: Bool { ended.withLock { $0 } }

    /// - Throws: one line if the end could never be detected.
    init(_ descriptor: Int32) throws {
        self.descriptor = descriptor
        let option = "--exit-on-eof \(descriptor)"
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw failure(
                "\(option): no descriptor of this number is open; in Python, give pass_fds the pipe's reading end"
            )
        }
        let kind = status.st_mode & S_IFMT
        guard kind == S_IFIFO || kind == S_IFSOCK else {
            throw failure("\(option): it is no pipe and no socket")
        }
        let mode = fcntl(descriptor, F_GETFL) & O_ACCMODE
        guard mode == O_RDONLY || (kind == S_IFSOCK && mode == O_RDWR) else {
            throw failure("\(option): it is the pipe's writing end; the server needs the reading one")
        }
        if kind == S_IFIFO, let writer = Self.ownWriter(of: status) {
            throw failure(
                "\(option): the server has the pipe's writing end, too, as descriptor \(writer): close it there"
            )
        }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    /// Returns the first descriptor of this process that can write to the pipe. It would keep the pipe open forever.
    private static func ownWriter(of pipe: stat) -> Int32? {
        var limit = rlimit()
        unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        // Inherited descriptors have small numbers.
        return (0..<Int32(min(limit.rlim_cur, 4096))).first { number in
            var other = stat()
            return unsafe fstat(number, &other) == 0 && other.st_dev == pipe.st_dev
                && other.st_ino == pipe.st_ino
                && fcntl(number, F_GETFL) & O_ACCMODE != O_RDONLY
        }
    }

    /// Sends SIGTERM to the calling thread at the end.
    func begin() throws {
        let waiter = pthread_self()
        do throws(ThreadError) {
            try PosixThread.start(named: "parent-watch") { [self] in
                waitForEnd()
                ended.withLock { $0 = true }
                pthread_kill(waiter, SIGTERM)
            }
        } catch {
            throw failure("cannot watch --exit-on-eof \(descriptor): \(error)")
        }
    }

    /// Data from the pipe are read and ignored.
    private func waitForEnd() {
        var bytes = [UInt8](repeating: 0, count: 4096)
        while true {
            var file = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&file, 1, -1) > 0 else { continue }
            let count = unsafe read(descriptor, &bytes, bytes.count)
            if count == 0 || count < 0 && errno != EAGAIN && errno != EINTR { return }
        }
    }
}
