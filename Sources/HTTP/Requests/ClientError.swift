/// Why ``LoopbackClient`` got no reply.
package enum ClientError: Error, Sendable, Equatable {
    case invalidAddress(SocketAddress, reason: String)
    /// The connection failed, for example because no server listens there.
    case systemCall(String, errno: Int32)
    case timedOut
    /// The server closed before the reply was complete. `received` bytes of it had arrived.
    case closed(received: Int)
    case malformedReply(String)
}

extension ClientError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .invalidAddress(_, let reason): reason
        case .systemCall(let call, let errno): "\(call): \(SystemError.text(errno))"
        case .timedOut: "no reply in time"
        case .closed(let received): "the connection was closed after \(received) bytes of the reply"
        case .malformedReply(let reason): "not an HTTP reply: \(reason)"
        }
    }
}
