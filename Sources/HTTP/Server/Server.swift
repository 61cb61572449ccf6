import Locking
import Parallelism

/// A running HTTP server.
///
/// It serves from `init` to ``drain()``. A server that is released without a drain stops immediately.
package final class Server: Sendable {
    /// The address on which it listens, with the port that the system chose for port 0.
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

    /// The address with its scheme, for people.
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

    /// False while the server drains and while the work queue is full.
    package var isReady: Bool { !core.isDraining && !core.isOverloaded }

    package var load: ServerLoad {
        ServerLoad(
            connections: core.connectionCount, inFlight: core.inFlight.withLock { $0 },
            queued: core.pools.reduce(0) { $0 + $1.queued },
            running: core.pools.reduce(0) { $0 + $1.running },
            memoryBytes: core.memory.claimed, slowReaders: core.slowReaders.withLock { $0 })
    }

    /// Stops accepting, lets requests in flight finish within the grace period, then stops.
    ///
    /// Meanwhile new requests on open connections get 503. After the grace period, requests that wait for a worker or
    /// for their body get 503, too, and connections that cannot be answered are closed. Jobs on a worker run to their
    /// end, and their results are discarded.
    ///
    /// - Returns: whether all requests finished. A second call waits for the first and returns the same value.
    /// - Parameter limit: the grace period, if shorter than the configured one.
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
            // The latest answers still have to reach the socket.
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
