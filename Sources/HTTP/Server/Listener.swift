import Glibc
import Locking

/// A listening socket. It is created here, not by libmicrohttpd, so that errors can be precise.
struct Listener {
    let socket: Int32
    /// The address with its actual port.
    let address: SocketAddress

    /// The number of connections that may wait to be accepted. The kernel limits it to `net.core.somaxconn`.
    private static let backlog: Int32 = 4096

    /// Any user who may write to the file of a Unix socket may connect, and needs no token. Therefore only its owner
    /// has access from the first moment, whatever mask the process was started with. The mask belongs to the whole
    /// process, so listeners are created one at a time.
    private static let ownersOnly = Monitor(())

    init(on wanted: SocketAddress) throws(ServerError) {
        var address = wanted
        var socket = address.makeSocket()
        if socket < 0, errno == EAFNOSUPPORT, let narrower = address.withoutIPv6 {
            address = narrower
            socket = address.makeSocket()
        }
        guard socket >= 0 else { throw .systemCall("socket", errno: errno, address) }
        do throws(ServerError) {
            try Self.bind(socket, to: address)
            guard listen(socket, Self.backlog) == 0 else { throw Self.error("listen", errno, address) }
        } catch {
            Glibc.close(socket)
            throw error
        }
        self.socket = socket
        switch address {
        case .tcp(let host, _):
            self.address = .tcp(host: host, port: SocketAddress.boundPort(of: socket, family: address.family))
        case .unix:
            self.address = address
        }
    }

    /// Refuses connections that were not accepted, and ends a call that waits in `accept`.
    func shutDown() {
        shutdown(socket, Int32(SHUT_RDWR))
    }

    /// Frees the address for the next server.
    func close() {
        Glibc.close(socket)
        if case .unix(let path) = address { unsafe unlink(path) }
    }

    private static func bind(_ socket: Int32, to address: SocketAddress) throws(ServerError) {
        var yes: Int32 = 1
        if case .tcp = address {
            // Old connections in TIME_WAIT must not keep a restarted server out.
            unsafe setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        }
        if address.family == AF_INET6 {
            // Otherwise a setting of the machine would decide whether `::` accepts IPv4 clients.
            var no: Int32 = 0
            unsafe setsockopt(
                socket, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &no, socklen_t(MemoryLayout<Int32>.size))
        }
        if try bindOnce(socket, to: address) == 0 { return }
        if case .unix(let path) = address, errno == EADDRINUSE {
            try removeAbandonedSocket(path, address)
            if try bindOnce(socket, to: address) == 0 { return }
        }
        throw error("bind", errno, address)
    }

    private static func bindOnce(_ socket: Int32, to address: SocketAddress) throws(ServerError) -> Int32 {
        do throws(SocketAddress.Flaw) {
            return try unsafe address.withSystemAddress { name, length in
                guard case .unix = address else { return unsafe Glibc.bind(socket, name, length) }
                return ownersOnly.withLock { _ in
                    let mask = umask(S_IRWXG | S_IRWXO)
                    let result = unsafe Glibc.bind(socket, name, length)
                    let number = errno
                    // If a filter forbids it, this would hide the error of the address.
                    umask(mask)
                    errno = number
                    return result
                }
            }
        } catch {
            throw .invalidAddress(address, reason: error.reason)
        }
    }

    /// A server that was killed leaves the file of its socket behind. Only such a file may be removed.
    private static func removeAbandonedSocket(_ path: String, _ address: SocketAddress) throws(ServerError) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else {
            throw .socketPathOccupied(path)
        }
        let probe = address.makeSocket()
        guard probe >= 0 else { throw .systemCall("socket", errno: errno, address) }
        defer { Glibc.close(probe) }
        let connected = try? unsafe address.withSystemAddress { unsafe connect(probe, $0, $1) }
        if connected == 0 { throw .addressInUse(address) }
        guard errno == ECONNREFUSED else { throw error("connect", errno, address) }
        unsafe unlink(path)
    }

    private static func error(_ call: String, _ number: Int32, _ address: SocketAddress) -> ServerError {
        switch number {
        case EADDRINUSE: .addressInUse(address)
        case EACCES, EPERM, EROFS: .permissionDenied(address)
        case EADDRNOTAVAIL: .addressNotAvailable(address)
        case ENOENT, ENOTDIR: .invalidAddress(address, reason: "the directory does not exist")
        default: .systemCall(call, errno: number, address)
        }
    }
}
