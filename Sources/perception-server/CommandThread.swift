internal import CProcess
import Glibc
import HTTP
import Locking
import Parallelism

/// Runs the command on a thread with a stack of its own: the first thread's is what `ulimit -s` leaves it, which may be
/// too little for what Swift does to print a number.
enum CommandThread {
    /// Ends the process when the body returns.
    static func run(_ body: @escaping @Sendable () -> Void) -> Never {
        let result = process_set_default_stack(PosixThread.stackBytes)
        precondition(result == 0, "the size is a multiple of any page's")
        do throws(ThreadError) {
            // Signals are the new thread's: whatever this one let through would end the process by its default.
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
