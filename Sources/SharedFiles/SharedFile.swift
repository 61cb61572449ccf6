import Glibc

/// A file of the shared directory, mapped to be read where it lies.
///
/// Its owner may change it at any moment. Shortening it never stops the process: what is gone reads as zeros. Whoever has
/// computed from it calls ``checkUnchanged()`` before the result goes out.
package final class SharedFile: Sendable {
    private let descriptor: CInt
    private let mapping: FileMapping
    private let opened: FileStatus

    /// Bytes of the file when it was opened.
    package var count: Int { mapping.count }

    init(_ name: String, in directory: SharedDirectory) throws(SharedFileError) {
        guard SharedDirectory.isValid(name) else { throw .invalidName }
        // Not blocking: opening a pipe would wait for its writer.
        let descriptor = unsafe openat(
            directory.descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw SharedFileError("openat", errno) }
        do throws(SharedFileError) {
            opened = try FileStatus(descriptor)
            // A hard link may be to a file that only the server may read. That nobody can make one to a file which they may
            // not write is the kernel's task (fs.protected_hardlinks): one that is taken away between the two calls above
            // is not seen here.
            guard opened.isRegular, !opened.hasOtherNames else { throw .notARegularFile }
            // Nobody has claimed that memory, and it would stay after the request, counted to this process.
            let missing = opened.size - opened.allocatedBytes
            if missing > 0, try FileStatus.isInMemory(descriptor) { throw .sparse(missing: missing) }
            mapping = try FileMapping(descriptor, count: opened.size, isWritable: false)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// - Throws: `changed` when size or time of modification are others than at opening, or a part was missing when read.
    package func checkUnchanged() throws(SharedFileError) {
        guard !mapping.isDamaged, try FileStatus(descriptor) == opened else { throw .changed }
    }

    /// The file's bytes where they are.
    package func withBytes<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(unsafe UnsafeRawBufferPointer(mapping.memory).bytes)
    }
}
