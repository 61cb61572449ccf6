internal import CFileMapping
import Glibc

/// A folder that the server and its clients share, such as a mounted folder of /dev/shm.
///
/// The folder is opened once, so replacing its path later does not change which folder is served. Files are addressed
/// by name, never by path, and both symbolic and hard links are refused. Therefore no request can reach a file outside.
package final class SharedDirectory: Sendable {
    let descriptor: CInt

    /// - Throws: `noSuchFile`, `notARegularFile` if the path is not a folder, `permissionDenied`.
    package init(path: String) throws(SharedFileError) {
        descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw errno == ENOTDIR ? .notARegularFile : SharedFileError("open", errno)
        }
    }

    deinit { close(descriptor) }

    /// Returns whether a name denotes a file of this folder in system calls, logs and URLs alike.
    static func isValid(_ name: String) -> Bool {
        (1...200).contains(name.utf8.count) && name.utf8.first != UInt8(ascii: ".")
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// Opens and maps a file for reading, at its current size.
    /// - Complexity: O(1). Pages are read when they are accessed.
    package func file(_ name: String) throws(SharedFileError) -> SharedFile {
        try SharedFile(name, in: self)
    }

    /// Creates a file of `count` bytes, to be filled and then published under its name.
    package func makeFile(_ name: String, count: Int) throws(SharedFileError) -> SharedOutput {
        try SharedOutput(name, count: count, in: self)
    }
}

/// The system's facts about an open file.
struct FileStatus: Equatable {
    let isRegular: Bool
    /// Whether the file has a second name, which may be outside the folder.
    let hasOtherNames: Bool
    let size: Int
    let modifiedSeconds: Int
    let modifiedNanoseconds: Int
    /// The allocated bytes, written or reserved. They count in whole blocks, so they may exceed the size.
    let allocatedBytes: Int

    init(_ descriptor: CInt) throws(SharedFileError) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw SharedFileError("fstat", errno) }
        isRegular = status.st_mode & S_IFMT == S_IFREG
        hasOtherNames = status.st_nlink > 1
        size = Int(status.st_size)
        modifiedSeconds = status.st_mtim.tv_sec
        modifiedNanoseconds = status.st_mtim.tv_nsec
        allocatedBytes = Int(status.st_blocks) * 512
    }

    /// The allocation may change by itself, because file systems write at any time.
    static func == (a: FileStatus, b: FileStatus) -> Bool {
        a.isRegular == b.isRegular && a.hasOtherNames == b.hasOtherNames && a.size == b.size
            && a.modifiedSeconds == b.modifiedSeconds && a.modifiedNanoseconds == b.modifiedNanoseconds
    }

    /// Whether the file is in a tmpfs or ramfs, where reading a hole allocates memory permanently.
    static func isInMemory(_ descriptor: CInt) throws(SharedFileError) -> Bool {
        let answer = file_mapping_lies_in_memory(descriptor)
        guard answer >= 0 else { throw SharedFileError("fstatfs", errno) }
        return answer == 1
    }
}
