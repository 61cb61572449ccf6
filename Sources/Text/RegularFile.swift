import Glibc

/// A small file that is read completely, such as a certificate or a list of tokens.
package struct RegularFile: Sendable {
    package let bytes: [UInt8]
    /// Whether every user of this machine may read it.
    package let isReadableByAll: Bool

    package enum Failure: Error, Equatable, Sendable {
        case unreadable(errno: CInt)
        /// The path is a folder, pipe or device.
        case notRegular
        /// The file is larger than the caller's limit.
        case tooLarge
    }

    /// Reads a whole file of at most `limit` bytes. Links are followed.
    package init(_ path: String, limit: Int) throws(Failure) {
        // Opening a pipe without O_NONBLOCK would wait for its writer, and delay SIGTERM.
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw .unreadable(errno: errno) }
        defer { close(file) }
        var status = stat()
        guard unsafe fstat(file, &status) == 0 else { throw .unreadable(errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular }
        isReadableByAll = status.st_mode & S_IROTH != 0
        // One byte beyond the limit distinguishes a file that is too large from one that just fits.
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while true {
            guard count <= limit else { throw .tooLarge }
            let got = unsafe bytes.withUnsafeMutableBytes { buffer in
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
                return unsafe read(file, room.baseAddress, room.count)
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw .unreadable(errno: errno) }
            if got == 0 { break }
            count += got
        }
        bytes.removeLast(bytes.count - count)
        self.bytes = bytes
    }
}
