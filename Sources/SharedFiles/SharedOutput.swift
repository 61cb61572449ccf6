import Glibc
import Synchronization

/// A file under construction in the shared directory. It gets its name only when it is complete.
package final class SharedOutput: Sendable {
    private let directory: SharedDirectory
    private let name: String
    private let temporaryName: String
    private let descriptor: CInt
    private let mapping: FileMapping
    private let isPublished = Atomic(false)

    private static let serial = Atomic(0)

    package var count: Int { mapping.count }

    init(_ name: String, count: Int, in directory: SharedDirectory) throws(SharedFileError) {
        guard SharedDirectory.isValid(name) else { throw .invalidName }
        self.directory = directory
        self.name = name
        // Clients cannot name a file with a leading dot.
        let number = SharedOutput.serial.wrappingAdd(1, ordering: .relaxed).newValue
        temporaryName = ".\(name).\(getpid()).\(number)"
        // If it exists, it was left by a killed process with the same number.
        _ = unsafe unlinkat(directory.descriptor, temporaryName, 0)
        let descriptor = unsafe openat(
            directory.descriptor, temporaryName, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw errno == ENOSPC ? .noSpace(bytes: count) : SharedFileError("openat", errno)
        }
        do throws(SharedFileError) {
            mapping = try SharedOutput.reserve(descriptor, count: count)
        } catch {
            close(descriptor)
            _ = unsafe unlinkat(directory.descriptor, temporaryName, 0)
            throw error
        }
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
        if !isPublished.load(ordering: .acquiring) {
            _ = unsafe unlinkat(directory.descriptor, temporaryName, 0)
        }
    }

    /// All pages are allocated before the first write, so a full file system is an error here and not a signal later.
    private static func reserve(_ descriptor: CInt, count: Int) throws(SharedFileError) -> FileMapping {
        if count > 0 {
            let number = posix_fallocate(descriptor, 0, count)
            guard number == 0 else {
                switch number {
                case ENOSPC, EFBIG, EDQUOT: throw .noSpace(bytes: count)
                default: throw SharedFileError("posix_fallocate", number)
                }
            }
        }
        return try FileMapping(descriptor, count: count, isWritable: true)
    }

    /// The bytes to fill, initially zero. Threads may fill disjoint ranges at the same time.
    package func withBytes<Result, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(mapping.memory)
    }

    /// Publishes the complete file under its name in one step. It replaces an existing file.
    /// - Throws: `changed` if the file was truncated meanwhile; `notARegularFile` if the name belongs to a folder.
    package func publish() throws(SharedFileError) {
        guard !mapping.isDamaged, try FileStatus(descriptor).size == count else { throw .changed }
        guard unsafe renameat(directory.descriptor, temporaryName, directory.descriptor, name) == 0 else {
            throw SharedFileError("renameat", errno)
        }
        isPublished.store(true, ordering: .releasing)
    }
}
