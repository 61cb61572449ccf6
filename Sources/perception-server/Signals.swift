import Glibc

/// The signals that a server handles. They are blocked in every thread that starts later, so that one thread can wait
/// for them. Some other signals are ignored, because by default they would end the process.
struct Signals {
    enum Word: String {
        case terminate = "SIGTERM"
        case interrupt = "SIGINT"
        case reload = "SIGHUP"

        fileprivate init(_ signal: Int32) {
            switch signal {
            case SIGTERM: self = .terminate
            case SIGINT: self = .interrupt
            default: self = .reload
            }
        }
    }

    private static let ending = [SIGTERM, SIGINT]
    /// Ignored: SIGPIPE from a log reader that has ended, and signals that operators send to programs that rotate logs
    /// or profile.
    private static let ignored = [SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM]

    init() {
        for number in Signals.ignored { signal(number, SIG_IGN) }
        unsafe Signals.with(Signals.ending + [SIGHUP]) { set in
            let status = unsafe pthread_sigmask(SIG_BLOCK, set, nil)
            precondition(status == 0, "the signal set is valid")
        }
    }

    /// Waits for the next signal. One that ends the server comes first, however many others are pending.
    func next() -> Word {
        var none = timespec()
        let ending = unsafe Signals.with(Signals.ending) { unsafe sigtimedwait($0, nil, &none) }
        if ending > 0 { return Word(ending) }
        return unsafe Signals.with(Signals.ending + [SIGHUP]) { set in
            var signal: Int32 = 0
            let status = unsafe sigwait(set, &signal)
            precondition(status == 0, "the signal set is valid")
            return Word(signal)
        }
    }

    private static func with<Result>(
        _ signals: [Int32], _ body: (UnsafePointer<sigset_t>) -> Result
    ) -> Result {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in signals { unsafe sigaddset(&set, signal) }
        return unsafe body(&set)
    }
}
