import ArgumentParser
import Glibc

/// An error that ends the process with one line on standard error and exit status 1.
func failure(_ message: String) -> ExitCode {
    write("perception-server: \(message)", to: STDERR_FILENO)
    return ExitCode.failure
}

/// Writes a line to standard output immediately, for a parent process that reads the server's address.
func announce(_ line: String) {
    write(line, to: STDOUT_FILENO)
}

/// Opens /dev/null in place of a closed standard input, output or error. Otherwise the next file or socket would get
/// its number and receive lines that are meant for people.
func occupyStandardFiles() {
    var file: Int32
    repeat { file = unsafe open("/dev/null", O_RDWR) } while (0...STDERR_FILENO).contains(file)
    if file >= 0 { close(file) }
}

/// Errors are ignored, because it does not matter whether anyone reads the line.
private func write(_ line: String, to file: Int32) {
    let bytes = Array((line + "\n").utf8)
    _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
}
