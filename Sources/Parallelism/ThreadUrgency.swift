import Glibc

/// How threads of this process share the cores: those that compute for long yield to all others.
package enum ThreadUrgency: Int {
    case ordinary
    /// Short work, which a thread does alone. It yields to threads that are ordinary and goes well before those that are low.
    case short
    case low

    /// Of the share of an ordinary thread, where both want the same core, these leave four tenths and a tenth; all of it
    /// elsewhere.
    private var niceness: Int32 {
        switch self {
        case .ordinary: 0
        case .short: 4
        case .low: 10
        }
    }

    private static let kind = __priority_which_t(PRIO_PROCESS.rawValue)

    /// What each thread is, as the process may have been started with so little urgency that the system can't tell.
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let result = unsafe pthread_key_create(&key, nil)
        precondition(result == 0, "this process has keys to spare")
        return key
    }()

    /// Makes the calling thread yield to more urgent ones of the process, for good: only a privileged process could take it
    /// back. On Linux this is a property of the thread and not, as POSIX has it, of the process.
    package static func lower(to urgency: ThreadUrgency = .low) {
        guard urgency.rawValue > current.rawValue else { return }
        unsafe pthread_setspecific(key, UnsafeRawPointer(bitPattern: urgency.rawValue))
        // A refusal costs fairness only.
        _ = setpriority(kind, 0, min(19, getpriority(kind, id_t(getpid())) + urgency.niceness))
    }

    /// The calling thread's.
    package static var current: ThreadUrgency {
        ThreadUrgency(rawValue: Int(bitPattern: unsafe pthread_getspecific(key))) ?? .ordinary
    }

    /// Whether the calling thread yields to the process's others.
    package static var isLow: Bool { current == .low }

    package static let coreCount = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
}
