import Glibc

/// The priority of threads within this process. Threads that compute for a long time yield to all others.
package enum ThreadUrgency: Int {
    case ordinary
    /// Short work, which a thread does alone. It yields to ordinary threads and precedes low ones by far.
    case short
    case low

    /// Nice values that leave four tenths and a tenth of an ordinary thread's share when both want the same core.
    private var niceness: Int32 {
        switch self {
        case .ordinary: 0
        case .short: 4
        case .low: 10
        }
    }

    private static let kind = __priority_which_t(PRIO_PROCESS.rawValue)

    /// The urgency of each thread. The system cannot report it if the process was started with a low priority.
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let result = unsafe pthread_key_create(&key, nil)
        precondition(result == 0, "this process has keys to spare")
        return key
    }()

    /// Makes the calling thread yield to more urgent ones of the process. Only a privileged process could undo this. On
    /// Linux the nice value belongs to the thread, not to the process as in POSIX.
    package static func lower(to urgency: ThreadUrgency = .low) {
        guard urgency.rawValue > current.rawValue else { return }
        unsafe pthread_setspecific(key, UnsafeRawPointer(bitPattern: urgency.rawValue))
        // A failure only costs fairness.
        _ = setpriority(kind, 0, min(19, getpriority(kind, id_t(getpid())) + urgency.niceness))
    }

    /// The urgency of the calling thread.
    package static var current: ThreadUrgency {
        ThreadUrgency(rawValue: Int(bitPattern: unsafe pthread_getspecific(key))) ?? .ordinary
    }

    /// Whether the calling thread yields to the other threads of the process.
    package static var isLow: Bool { current == .low }

    package static let coreCount = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
}
