import Locking
import Parallelism

/// A running HTTP server.
///
/// It serves from `init` to ``drain()``; one that is let go without draining is stopped without grace.
package final class Server: Sendable {
    /// Where it listens, with the port the system chose for port 0.
    package let address: SocketAddress

    let core: ServerCore
    private let daemon: Daemon
    private let acceptor: Acceptor
    private let life = Monitor(Life.serving)

    private enum Life {
        case serving, draining
        case over(finished: Bool)
    }

    package init(
        _ configuration: ServerConfiguration, router: Router, render: @escaping RefusalRenderer,
        observer: any ServerObserver
    ) throws(ServerError) {
        try configuration.check()
        let listener = try Listener(on: configuration.address)
        address = listener.address
        do throws(ThreadError) {
            core = try ServerCore(configuration, router: router, render: render, observer: observer)
        } catch {
            listener.close()
            throw .daemonNotStarted(configuration.address)
        }
        do throws(ServerError) {
            daemon = try Daemon(serving: core)
        } catch {
            core.stopThreads()
            listener.close()
            throw error
        }
        do throws(ThreadError) {
            try Reaper.start(for: core)
            try SpareMemory.watch(core)
            try core.lingering.watch()
            acceptor = try Acceptor(listener, for: daemon, core: core)
        } catch {
            core.stopThreads()
            daemon.stop()
            listener.close()
            throw .daemonNotStarted(configuration.address)
        }
    }

    deinit {
        stop(grace: .zero)
    }

    /// For people: the address with its scheme.
    package var url: String {
        guard core.isSecure else { return address.description }
        return switch address {
        case .tcp: address.description.replacing("http://", with: "https://", maxReplacements: 1)
        case .unix: "\(address) (TLS)"
        }
    }

    /// Nil for a Unix-domain socket.
    package var port: UInt16? {
        if case .tcp(_, let port) = address { port } else { nil }
    }

    /// False while draining and while the work queue is at its limit.
    package var isReady: Bool { !core.isDraining && !core.isOverloaded }

    package var load: ServerLoad {
        ServerLoad(
            connections: core.connectionCount, inFlight: core.inFlight.withLock { $0 },
            queued: core.pools.reduce(0) { $0 + $1.queued },
            running: core.pools.reduce(0) { $0 + $1.running },
            memoryBytes: core.memory.claimed, slowReaders: core.slowReaders.withLock { $0 })
    }

    /// Stops accepting, lets requests in flight finish within the grace, then stops for good.
    ///
    /// New requests on open connections get 503 meanwhile. After the grace, what waits for a worker or its body
    /// is answered with 503, too, and what cannot be answered is closed; jobs still on a worker run on, unheard.
    ///
    /// - Returns: whether all requests finished. A second call waits for the first and returns the same.
    /// - Parameter limit: of the grace, where it is shorter than the configuration's.
    @discardableResult
    package func drain(within limit: Duration? = nil) -> Bool {
        let grace = core.configuration.drainGrace
        return stop(grace: min(limit ?? grace, grace))
    }

    @discardableResult
    private func stop(grace: Duration) -> Bool {
        let isFirst = life.withLock { life in
            guard case .serving = life else { return false }
            life = .draining
            return true
        }
        guard isFirst else {
            return life.wait { if case .over(let finished) = $0 { finished } else { nil } }
        }
        core.beginDraining()
        core.finishEvents()
        acceptor.stop()
        let finished = core.waitUntilIdle(atMost: grace)
        if !finished {
            core.abandon()
            // What was answered just now still has to reach the socket.
            _ = core.waitUntilIdle(atMost: .seconds(1))
        }
        core.stopThreads()
        daemon.stop()
        if finished {
            core.lingering.finish(atMost: TimeLimits(core.configuration).linger)
            for pool in core.pools { _ = pool.waitForThreads(atMost: .seconds(1)) }
        }
        life.withLock(waking: .everybody) { $0 = .over(finished: finished) }
        return finished
    }
}
