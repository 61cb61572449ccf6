package import HTTPTypes

/// A small blocking HTTP/1.1 client for one connection: for health checks and tests.
package final class LoopbackClient {
    package init(connectingTo address: SocketAddress, timeout: Duration = .seconds(10)) throws(ClientError) {
        fatalError("interim")
    }

    package struct Reply: Sendable {
        package let status: Int
        package let headers: HTTPFields
        package let body: [UInt8]
    }

    /// Sends a request and reads its reply; the connection stays open for the next.
    package func request(
        _ method: HTTPRequest.Method = .get, _ target: String, headers: HTTPFields = [:], body: [UInt8] = []
    ) throws(ClientError) -> Reply {
        fatalError("interim")
    }
}

package enum ClientError: Error, Sendable, Equatable {
    case invalidAddress(SocketAddress)
    case systemCall(String, errno: Int32)
    case timedOut
    /// The server closed before the reply was complete.
    case closed
    case malformedReply(String)
}
