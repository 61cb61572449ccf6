import HTTP
import Locking

/// A reference to the running server. The endpoints are created before the server and query it later.
final class RunningServer: Sendable {
    private let server = Monitor<Server?>(nil)

    func set(_ running: Server) { server.withLock { $0 = running } }

    func isReady() -> Bool { server.withLock { $0 }?.isReady ?? false }

    func load() -> ServerLoad {
        server.withLock { $0 }?.load ?? .idle
    }
}
