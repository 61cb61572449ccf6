import Glibc

/// A folder of its own, removed in the end with the files in it.
package final class TemporaryFolder {
    package let path: String

    /// - Parameter parent: /dev/shm for one in memory.
    package init(in parent: String = "/tmp") {
        var template = Array("\(parent)/shared-tests-XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer -> String? in
            guard let start = buffer.baseAddress, let made = unsafe mkdtemp(start) else { return nil }
            return unsafe String(cString: made)
        }
        guard let made else { preconditionFailure("no folder can be made in \(parent)") }
        path = made
    }

    deinit {
        for name in names { unsafe remove(path + "/" + name) }
        unsafe rmdir(path)
    }

    /// What lies in it, hidden files too.
    package var names: [String] {
        guard let folder = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    package func write(_ bytes: [UInt8], to name: String) {
        let file = unsafe open(path + "/" + name, O_CREAT | O_WRONLY | O_TRUNC, 0o600)
        defer { close(file) }
        var start = 0
        while start < bytes.count {
            let written = unsafe bytes[start...].withUnsafeBytes {
                unsafe Glibc.write(file, $0.baseAddress, $0.count)
            }
            guard written > 0 else { return }
            start += written
        }
    }

    package func truncate(_ name: String, to size: Int) { unsafe Glibc.truncate(path + "/" + name, size) }

    /// Gives all bytes of a file a place.
    package func reserve(_ name: String, _ size: Int) {
        let file = unsafe open(path + "/" + name, O_WRONLY)
        defer { close(file) }
        posix_fallocate(file, 0, size)
    }

    package func allocatedBytes(of name: String) -> Int {
        var status = stat()
        return unsafe stat(path + "/" + name, &status) == 0 ? Int(status.st_blocks) * 512 : 0
    }
}
