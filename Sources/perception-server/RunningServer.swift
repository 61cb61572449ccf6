import HTTP
import Locking

/// The server once it runs: its endpoints are made before it is and ask about it later.
final class RunningServer: Sendable {
    private let server = Monitor<Server?>(nil)

    func set(_ running: Server) { server.withLock { $0 = running } }

    func isReady() -> Bool { server.withLock { $0 }?.isReady ?? false }

    func load() -> ServerLoad {
        server.withLock { $0 }?.load ?? .idle
    }
}
