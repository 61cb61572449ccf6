/// Why ``LoopbackClient`` got no reply.
package enum ClientError: Error, Sendable, Equatable {
    case invalidAddress(SocketAddress, reason: String)
    /// Nobody listens there, among others.
    case systemCall(String, errno: Int32)
    case timedOut
    /// The server closed before the reply was complete; so many bytes of it had come.
    case closed(received: Int)
    case malformedReply(String)
}
