internal import CProcess
import Glibc
import HTTP
import Locking
import Parallelism

/// Runs the command on a thread with an explicit stack. The stack of the first thread depends on `ulimit -s` and may be
/// too small even for Swift to print a number.
enum CommandThread {
    /// Exits the process when the body returns.
    static func run(_ body: @escaping @Sendable () -> Void) -> Never {
        let result = process_set_default_stack(PosixThread.stackBytes)
        precondition(result == 0, "the size is a multiple of any page's")
        do throws(ThreadError) {
            // The new thread receives the signals. A signal delivered to this thread would end the process by default.
            try PosixThread.start(named: "command", receivingSignals: true) {
                body()
                exit(EXIT_SUCCESS)
            }
        } catch {
            _ = failure("cannot start: \(error)")
            exit(EXIT_FAILURE)
        }
        PosixThread.blockSignals()
        Monitor(()).wait { _ in Never?.none }
    }
}
