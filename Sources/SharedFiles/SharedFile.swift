import Glibc

/// A file of the shared directory, mapped for reading without a copy.
///
/// Its owner may change it at any moment. Truncation does not stop the process: missing bytes read as zeros. After
/// computing from the file, call ``checkUnchanged()`` before sending the result.
package final class SharedFile: Sendable {
    private let descriptor: CInt
    private let mapping: FileMapping
    private let opened: FileStatus

    /// The size of the file when it was opened.
    package var count: Int { mapping.count }

    init(_ name: String, in directory: SharedDirectory) throws(SharedFileError) {
        guard SharedDirectory.isValid(name) else { throw .invalidName }
        // Opened without blocking, because opening a pipe would wait for its writer.
        let descriptor = unsafe openat(
            directory.descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw SharedFileError("openat", errno) }
        do throws(SharedFileError) {
            opened = try FileStatus(descriptor)
            // A hard link may point to a file that only the server may read. The kernel prevents links to files that
            // their creator may not write (fs.protected_hardlinks). This check does not see a link that is removed
            // between the two calls above.
            guard opened.isRegular, !opened.hasOtherNames else { throw .notARegularFile }
            // That memory is not claimed. It would stay allocated after the request and count to this process.
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

    /// - Throws: `changed` if the size or modification time differ from those at opening, or bytes were missing when
    ///   read.
    package func checkUnchanged() throws(SharedFileError) {
        guard !mapping.isDamaged, try FileStatus(descriptor) == opened else { throw .changed }
    }

    /// The bytes of the file, without a copy.
    package func withBytes<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(unsafe UnsafeRawBufferPointer(mapping.memory).bytes)
    }
}
