internal import CFileMapping
import Glibc

/// A folder that the server and its clients both see, such as a mounted part of /dev/shm.
///
/// The folder is opened once: whoever replaces its path later doesn't change which folder is served. Files are named, never
/// reached by a path, and links, hard ones too, are refused, so nothing outside can be named.
package final class SharedDirectory: Sendable {
    let descriptor: CInt

    /// - Throws: `noSuchFile`, `notARegularFile` for something that is no folder, `permissionDenied`.
    package init(path: String) throws(SharedFileError) {
        descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw errno == ENOTDIR ? .notARegularFile : SharedFileError("open", errno)
        }
    }

    deinit { close(descriptor) }

    /// A name that means a file of this folder wherever it is used: in system calls, logs and URLs.
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

    /// Opens and maps a file to be read, at the size it has now.
    /// - Complexity: O(1); pages are read as they are touched.
    package func file(_ name: String) throws(SharedFileError) -> SharedFile {
        try SharedFile(name, in: self)
    }

    /// Makes a file of `count` bytes to be filled and then published under its name.
    package func makeFile(_ name: String, count: Int) throws(SharedFileError) -> SharedOutput {
        try SharedOutput(name, count: count, in: self)
    }
}

/// What the system says of an open file.
struct FileStatus: Equatable {
    let isRegular: Bool
    /// Whether it has a second name, which may lie outside the folder.
    let hasOtherNames: Bool
    let size: Int
    let modifiedSeconds: Int
    let modifiedNanoseconds: Int
    /// Of its size, the bytes that have a place, written or reserved; whole blocks, so that it may be above the size.
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

    /// Where bytes have their place may change by itself, as file systems write when it suits them.
    static func == (a: FileStatus, b: FileStatus) -> Bool {
        a.isRegular == b.isRegular && a.hasOtherNames == b.hasOtherNames && a.size == b.size
            && a.modifiedSeconds == b.modifiedSeconds && a.modifiedNanoseconds == b.modifiedNanoseconds
    }

    /// Whether the file lies in a tmpfs or ramfs: what is read of its holes becomes memory that stays.
    static func isInMemory(_ descriptor: CInt) throws(SharedFileError) -> Bool {
        let answer = file_mapping_lies_in_memory(descriptor)
        guard answer >= 0 else { throw SharedFileError("fstatfs", errno) }
        return answer == 1
    }
}
