import Glibc

extension SocketAddress {
    /// The reason why an address has no system form.
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

    /// The address for all addresses of a machine without IPv6; nil for a single address.
    var withoutIPv6: SocketAddress? {
        if case .tcp("::", let port) = self { .tcp(host: "0.0.0.0", port: port) } else { nil }
    }

    /// Creates a stream socket for this address, not inherited by child processes. Returns -1 with `errno` set if the
    /// system refuses.
    func makeSocket() -> Int32 {
        socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    }

    /// Calls `bind` or `connect` with the system form of the address.
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

    /// Returns the numeric host of an address in the system form, `unix` for a Unix-domain socket, and nil for anything
    /// else. IPv4 clients of an IPv6 socket appear as IPv4.
    static func hostText(of address: UnsafePointer<sockaddr>) -> String? {
        switch Int32(unsafe address.pointee.sa_family) {
        case AF_UNIX:
            return "unix"
        case AF_INET:
            var host = unsafe UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self).sin_addr
            return unsafe text(AF_INET, &host)
        case AF_INET6:
            var host = unsafe UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in6.self).sin6_addr
            let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
            return unsafe withUnsafeBytes(of: &host) { bytes in
                unsafe bytes.starts(with: mapped)
                    ? text(AF_INET, bytes.baseAddress.map { unsafe $0 + mapped.count })
                    : text(AF_INET6, bytes.baseAddress)
            }
        default:
            return nil
        }
    }

    private static func text(_ family: Int32, _ host: UnsafeRawPointer?) -> String? {
        var characters = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard unsafe inet_ntop(family, host, &characters, socklen_t(characters.count)) != nil else {
            return nil
        }
        return String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Returns the port to which a socket is bound.
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
