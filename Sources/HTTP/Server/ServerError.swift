/// The reason why a server could not start. The description is one line for people.
package enum ServerError: Error, Sendable, Equatable, CustomStringConvertible {
    case addressInUse(SocketAddress)
    case permissionDenied(SocketAddress)
    /// The address is not an IPv4 or IPv6 address, or is a path that is empty or too long. `reason` says which.
    case invalidAddress(SocketAddress, reason: String)
    case addressNotAvailable(SocketAddress)
    /// The path is taken by a file that is not a socket, or by the socket of a running server.
    case socketPathOccupied(String)
    case systemCall(String, errno: Int32, SocketAddress)
    /// libmicrohttpd refused to start: threads or file descriptors are exhausted.
    case daemonNotStarted(SocketAddress)
    case invalidConfiguration(String)
    case tls(TLSError)

    package var description: String {
        switch self {
        case .addressInUse(let address): "\(address) is in use: another server is listening there"
        case .permissionDenied(let address): "no permission to listen on \(address)"
        case .invalidAddress(let address, let reason): "cannot listen on \(address): \(reason)"
        case .addressNotAvailable(let address): "\(address) is not an address of this machine"
        case .socketPathOccupied(let path): "\(path) exists and is not an abandoned socket"
        case .systemCall(let call, let errno, let address):
            "cannot listen on \(address): \(call) failed: \(SystemError.text(errno))"
        case .daemonNotStarted(let address):
            "cannot serve \(address): the system has no threads or file descriptors left"
        case .invalidConfiguration(let reason): reason
        case .tls(let error): error.description
        }
    }
}
