/// The address on which a server listens, and to which a client connects.
package enum SocketAddress: Sendable, Equatable, CustomStringConvertible {
    /// `host` is an IPv4 or IPv6 address or `localhost` (127.0.0.1); `::` means all addresses, including IPv4, and only
    /// those on a system without IPv6. For a listener, port 0 lets the system choose.
    case tcp(host: String, port: UInt16)
    /// A Unix-domain stream socket at this path (at most 107 bytes).
    case unix(path: String)

    package var description: String {
        switch self {
        case .tcp(let host, let port):
            host.contains(":") ? "http://[\(host)]:\(port)" : "http://\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
