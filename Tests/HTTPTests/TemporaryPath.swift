import Glibc
import Testing

/// A path for a socket or file in a directory of its own, removed in the end.
final class TemporaryPath {
    let path: String
    private let directory: String

    init() throws {
        var template = Array("/tmp/http-tests-XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer -> String? in
            guard let start = buffer.baseAddress, let made = unsafe mkdtemp(start) else { return nil }
            return unsafe String(cString: made)
        }
        directory = try #require(made)
        path = directory + "/socket"
    }

    deinit {
        unsafe unlink(path)
        unsafe rmdir(directory)
    }

    var exists: Bool { unsafe access(path, F_OK) == 0 }

    /// The text of the file there, up to 64 KiB.
    func read() -> String {
        let file = unsafe open(path, O_RDONLY)
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe Glibc.read(file, $0.baseAddress, $0.count) }
        return String(decoding: bytes[..<max(0, count)], as: UTF8.self)
    }

    /// Puts a plain file there.
    func write(_ text: String) {
        let file = unsafe open(path, O_CREAT | O_WRONLY, 0o600)
        let bytes = Array(text.utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
        close(file)
    }
}
