import Glibc

extension SocketAddress {
    /// Why an address cannot be put into the system's form.
    enum Flaw: Error {
        case host, path

        var reason: String {
            switch self {
            case .host: "the host must be an IPv4 or IPv6 address or localhost"
            case .path: "the path of a socket must be 1 to \(longestPath) bytes without NUL"
            }
        }
    }

    /// `sun_path` with its final NUL.
    static let longestPath = 107

    var family: Int32 {
        switch self {
        case .tcp(let host, _): host.contains(":") ? AF_INET6 : AF_INET
        case .unix: AF_UNIX
        }
    }

    /// A new stream socket for this address, not inherited by child processes; -1 with `errno` set when refused.
    func makeSocket() -> Int32 {
        socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    }

    /// Lends the system's form of the address to `bind` or `connect`.
    func withSystemAddress<Result>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) throws(Flaw) -> Result {
        switch self {
        case .tcp(let host, let port) where host.contains(":"):
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            guard unsafe inet_pton(AF_INET6, host, &address.sin6_addr) == 1 else { throw .host }
            return unsafe Self.lend(&address, body)
        case .tcp(let host, let port):
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            let numeric = host == "localhost" ? "127.0.0.1" : host
            guard unsafe inet_pton(AF_INET, numeric, &address.sin_addr) == 1 else { throw .host }
            return unsafe Self.lend(&address, body)
        case .unix(let path):
            let bytes = Array(path.utf8)
            guard (1...Self.longestPath).contains(bytes.count), !bytes.contains(0) else { throw .path }
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
            return unsafe Self.lend(&address, body)
        }
    }

    private static func lend<Address, Result>(
        _ address: inout Address, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe body(pointer, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }

    /// The port a socket is bound to.
    static func boundPort(of socket: Int32, family: Int32) -> UInt16 {
        var storage = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let result = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe getsockname(socket, pointer, &length)
            }
        }
        // The port is at the same place in the addresses of both families.
        return result == 0 ? UInt16(bigEndian: storage.sin6_port) : 0
    }
}
