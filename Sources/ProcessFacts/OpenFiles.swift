import Glibc

/// The process's file descriptors. Every connection occupies one.
package enum OpenFiles {
    /// The number of descriptors reserved for listening, epoll, logs and files.
    package static let reserve = 64

    /// Raises the soft limit as far as allowed and needed for `connections`.
    ///
    /// - Returns: the number of connections that fit, at most `connections`; 0 if the reserve leaves none.
    package static func raiseLimit(for connections: Int) -> Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return connections
        }
        let wanted = rlim_t(connections + reserve)
        if limit.rlim_cur < wanted {
            limit.rlim_cur = min(wanted, limit.rlim_max)
            unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        return max(0, min(connections, Int(min(limit.rlim_cur, rlim_t(Int32.max))) - reserve))
    }
}
