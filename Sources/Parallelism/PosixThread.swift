internal import CProcess
import Glibc

/// The system has no threads left.
package struct ThreadError: Error, Sendable, Equatable, CustomStringConvertible {
    package let errno: Int32

    package var description: String {
        let reason = unsafe strerror(errno).map { unsafe String(cString: $0) }
        return "the system has no threads left: \(reason ?? "error \(errno)")"
    }
}

/// Threads with an explicit stack size that leave signals to the main thread.
package enum PosixThread {
    /// 8 MiB, whatever `ulimit -s` says. This is the usual default, but containers and musl differ. It suffices for
    /// recursive parsers and for decoders with large frames. Unused pages cost nothing.
    package static let stackBytes = 8 << 20

    /// Starts a detached thread.
    ///
    /// - Parameters:
    ///   - name: shown by `top -H`; 15 bytes at most.
    ///   - receivingSignals: whether the thread receives signals as the calling thread does.
    package static func start(
        named name: String, receivingSignals: Bool = false, _ body: @escaping @Sendable () -> Void
    ) throws(ThreadError) {
        let start = unsafe Unmanaged.passRetained(Start(name: name, body: body))
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        unsafe pthread_attr_setstacksize(&attributes, stackBytes)
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let create = {
            unsafe pthread_create(
                &thread, &attributes,
                { argument in
                    guard let argument = unsafe argument else { return nil }
                    let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                    unsafe process_name_thread(start.name)
                    start.body()
                    return nil
                }, start.toOpaque())
        }
        let result = receivingSignals ? create() : withSignalsBlocked(create)
        guard result == 0 else {
            unsafe start.release()
            throw ThreadError(errno: result)
        }
    }

    /// Signals that a thread causes itself. If they were blocked, the kernel would end the process instead of calling a
    /// handler, such as the one that survives the truncation of a mapped file.
    private static let ownFaults = [SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS]

    /// Threads created inside inherit a mask that blocks all external signals. SIGTERM then reaches the thread that
    /// waits for it and never interrupts a system call here.
    package static func withSignalsBlocked<Result>(_ body: () -> Result) -> Result {
        var previous = sigset_t()
        unsafe pthread_sigmask(SIG_SETMASK, nil, &previous)
        blockSignals()
        defer { unsafe pthread_sigmask(SIG_SETMASK, &previous, nil) }
        return body()
    }

    /// Blocks them in the calling thread permanently.
    package static func blockSignals() {
        var all = sigset_t()
        unsafe sigfillset(&all)
        for signal in ownFaults { unsafe sigdelset(&all, signal) }
        unsafe pthread_sigmask(SIG_SETMASK, &all, nil)
    }

    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
}
