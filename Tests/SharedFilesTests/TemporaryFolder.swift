import Glibc
import Testing

@testable import SharedFiles

/// A folder of its own with a shared directory in it, removed in the end.
final class TemporaryFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/shared-tests-XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer -> String? in
            guard let start = buffer.baseAddress, let made = unsafe mkdtemp(start) else { return nil }
            return unsafe String(cString: made)
        }
        path = try #require(made)
    }

    deinit {
        for name in names { unsafe remove(path + "/" + name) }
        unsafe rmdir(path)
    }

    var directory: SharedDirectory { get throws { try SharedDirectory(path: path) } }

    /// What lies in it, hidden files too.
    var names: [String] {
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

    func write(_ bytes: [UInt8], to name: String) {
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

    func truncate(_ name: String, to size: Int) { unsafe Glibc.truncate(path + "/" + name, size) }
}

extension SharedFile {
    /// A copy of all its bytes.
    var contents: [UInt8] { withBytes { span in unsafe span.withUnsafeBytes { unsafe Array($0) } } }
}
