import Glibc

/// The process's file descriptors: every connection takes one.
package enum OpenFiles {
    /// Kept for listening, epoll, logs and files.
    package static let reserve = 64

    /// Raises the soft limit as far as it may go and as `connections` need.
    ///
    /// - Returns: how many connections there can be; asked for as many, as many. 0 where what is kept leaves none.
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
