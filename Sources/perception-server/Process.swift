import ArgumentParser
import Glibc

/// SIGTERM and SIGINT, held back from every thread that starts after this so that one can wait for them.
struct TerminationSignals {
    init() {
        unsafe withSet { set in unsafe pthread_sigmask(SIG_BLOCK, set, nil) }
    }

    /// The name of the signal that arrives.
    func wait() -> String {
        var signal: Int32 = 0
        unsafe withSet { set in unsafe sigwait(set, &signal) }
        return signal == SIGTERM ? "SIGTERM" : "SIGINT"
    }

    private func withSet(_ body: (UnsafePointer<sigset_t>) -> Int32) {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGTERM)
        unsafe sigaddset(&set, SIGINT)
        let status = unsafe body(&set)
        precondition(status == 0, "the signal set is valid")
    }
}

/// One clear line on standard error, and exit status 1.
func failure(_ message: String) -> ExitCode {
    write("perception-server: \(message)", to: STDERR_FILENO)
    return ExitCode.failure
}

/// A line on standard output at once, for whoever started the server and reads where it listens.
func announce(_ line: String) {
    write(line, to: STDOUT_FILENO)
}

/// Whether anyone reads it is not this process's business.
private func write(_ line: String, to file: Int32) {
    let bytes = Array((line + "\n").utf8)
    _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
}

/// The lines of a token file, blanks and empty lines left out.
func tokens(inFile path: String) throws -> [String] {
    guard let file = unsafe fopen(path, "r") else {
        throw failure("cannot read the token file \(path): \(unsafe String(cString: strerror(errno)))")
    }
    defer { unsafe fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 64 << 10)
    let count = unsafe fread(&bytes, 1, bytes.count, file)
    let lines = String(decoding: bytes[..<count], as: UTF8.self).split(whereSeparator: \.isNewline)
    let tokens = lines.map { $0.filter { !$0.isWhitespace } }.filter { !$0.isEmpty }
    guard !tokens.isEmpty else { throw failure("the token file \(path) holds no token") }
    return tokens
}
