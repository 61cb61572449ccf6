/// A running HTTP server.
package final class Server: Sendable {
    package init(
        _ configuration: ServerConfiguration, router: Router, render: @escaping RefusalRenderer,
        observer: any ServerObserver
    ) throws(ServerError) {
        fatalError("interim")
    }

    /// Where it really listens (the port chosen for port 0).
    package let address: SocketAddress
    /// Nil for a Unix-domain socket.
    package var port: UInt16? { nil }
    /// False while draining or while the work queue is at its limit.
    package var isReady: Bool { false }
    package var load: ServerLoad {
        ServerLoad(connections: 0, inFlight: 0, queued: 0, running: 0, bodyBytes: 0)
    }

    /// Stops accepting, lets requests in flight finish within the grace, then stops for good.
    ///
    /// - Returns: whether all finished. A second call returns the first one's result.
    package func drain() -> Bool { false }
}
