internal import CFileMapping
import Glibc

/// Access to mapped memory: a file's first bytes as memory, until the last reference is gone.
@safe final class FileMapping: @unchecked Sendable {
    let count: Int
    /// nil for an empty file, of which nothing can be mapped. What it points to is all atomics.
    private let handle: OpaquePointer?

    /// - Throws: in this module's words what the system says.
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

    /// Whether a part of it was gone when it was touched, and read as zeros.
    var isDamaged: Bool { unsafe handle.map { unsafe file_mapping_is_damaged($0) != 0 } ?? false }

    /// A buffer that lives as long as this object does.
    var memory: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(
            start: handle.map { unsafe file_mapping_start($0) } ?? nil, count: count)
    }
}
