internal import CFileMapping
import Glibc

/// The first bytes of a file, mapped into memory until the last reference is released. All access to mapped memory goes
/// through this class.
@safe final class FileMapping: @unchecked Sendable {
    let count: Int
    /// Nil for an empty file, which cannot be mapped. The structure contains only atomics.
    private let handle: OpaquePointer?

    /// - Throws: the system's error in the words of this module.
    init(_ descriptor: CInt, count: Int, isWritable: Bool) throws(SharedFileError) {
        self.count = count
        guard count > 0 else {
            unsafe handle = nil
            return
        }
        guard let handle = unsafe file_mapping_map(descriptor, count, isWritable ? 1 : 0) else {
            throw SharedFileError("mmap", errno)
        }
        unsafe self.handle = handle
    }

    deinit { if let handle = unsafe handle { unsafe file_mapping_unmap(handle) } }

    /// Whether some of it was missing when it was read, so that it read as zeros.
    var isDamaged: Bool { unsafe handle.map { unsafe file_mapping_is_damaged($0) != 0 } ?? false }

    /// A buffer that lives as long as this object does.
    var memory: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(
            start: handle.map { unsafe file_mapping_start($0) } ?? nil, count: count)
    }
}
