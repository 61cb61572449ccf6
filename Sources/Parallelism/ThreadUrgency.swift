import Glibc

/// How threads of this process share the cores: those that compute for long yield to all others.
package enum ThreadUrgency {
    /// A tenth of the share of a thread that is not lowered, where both want the same core; all of it elsewhere.
    private static let niceness: Int32 = 10

    private static let kind = __priority_which_t(PRIO_PROCESS.rawValue)

    /// Makes the calling thread yield to the process's other threads, for good: only a privileged process could take it
    /// back. On Linux this is a property of the thread and not, as POSIX has it, of the process.
    package static func lower() {
        // A process that was started with less urgency keeps what it has; a refusal costs fairness only.
        guard !isLow else { return }
        _ = setpriority(kind, 0, min(19, getpriority(kind, id_t(getpid())) + niceness))
    }

    /// Whether the calling thread yields to the process's others.
    package static var isLow: Bool {
        getpriority(kind, 0) > getpriority(kind, id_t(getpid()))
    }

    static let coreCount = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
}
