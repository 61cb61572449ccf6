import ArgumentParser
import Glibc

/// One clear line on standard error, and exit status 1.
func failure(_ message: String) -> ExitCode {
    write("perception-server: \(message)", to: STDERR_FILENO)
    return ExitCode.failure
}

/// A line on standard output at once, for whoever started the server and reads where it listens.
func announce(_ line: String) {
    write(line, to: STDOUT_FILENO)
}

/// Opens /dev/null where standard input, output or error is closed: the next file or socket would get its number, and
/// lines that are meant for people would go into it.
func occupyStandardFiles() {
    var file: Int32
    repeat { file = unsafe open("/dev/null", O_RDWR) } while (0...STDERR_FILENO).contains(file)
    if file >= 0 { close(file) }
}

/// Whether anyone reads it is not this process's business.
private func write(_ line: String, to file: Int32) {
    let bytes = Array((line + "\n").utf8)
    _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
}
