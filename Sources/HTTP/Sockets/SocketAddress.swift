/// Where a server listens and a client connects.
package enum SocketAddress: Sendable, Equatable, CustomStringConvertible {
    /// `host` is an IPv4 or IPv6 address or `localhost` (127.0.0.1); `::` is every address, IPv4 ones too, and no more than
    /// those where the system has no IPv6. Port 0 lets the system choose when listening.
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
