import Glibc
import HTTPTypes
import Locking
import Testing

@testable import HTTP

/// A server on a port of its own with a few plain routes, and what its observer saw.
final class TestService: Sendable {
    let server: Server
    let recorder = Recorder()
    /// Heavy jobs of `/gated` wait here until it is opened.
    let gate = Gate()

    init(
        routes: [Route] = [], configure: (inout ServerConfiguration) -> Void = { _ in }
    ) throws(ServerError) {
        var configuration = ServerConfiguration()
        configuration.address = .tcp(host: "127.0.0.1", port: 0)
        configuration.serverName = "test"
        configuration.workerThreads = 2
        configuration.maxBodyBytes = 1 << 20
        configure(&configuration)
        let router = Router(routes + Self.plainRoutes(gate))
        server = try Server(configuration, router: router, render: renderPlainly, observer: recorder)
    }

    deinit {
        gate.open()
        server.drain()
    }

    func client(timeout: Duration = .seconds(10)) throws(ClientError) -> LoopbackClient {
        try LoopbackClient(connectingTo: server.address, timeout: timeout)
    }

    func waitForNoConnections() {
        server.core.connections.wait { $0.isEmpty ? () : nil }
    }

    func waitForInFlight(_ count: Int) {
        yieldUntil { server.load.inFlight == count }
    }

    func waitForQueued(_ count: Int) {
        yieldUntil { server.load.queued == count }
    }

    func waitForRunning(_ count: Int) {
        yieldUntil { server.load.running == count }
    }

    func waitForMemory(_ bytes: Int) {
        yieldUntil { server.load.memoryBytes == bytes }
    }

    /// New requests are refused and nobody listens any more.
    func waitUntilDraining() {
        yieldUntil { server.core.isDraining && (try? client()) == nil }
    }

    /// For what nobody announces.
    private func yieldUntil(_ condition: () -> Bool) {
        let deadline = Moment.now + .seconds(20)
        while !condition() {
            guard .now < deadline else {
                Issue.record("did not happen within 20 seconds")
                return
            }
            sched_yield()
        }
    }

    static func plainRoutes(_ gate: Gate) -> [Route] {
        [
            Route(.get, "/hello") { _ in .reply(Response(text: "hello")) },
            Route(.get, "/pieces") { _ in
                .reply(Response(body: [Array("one ".utf8), [], Array("two ".utf8), Array("three".utf8)]))
            },
            Route(.post, "/echo") { head in
                .sink(BufferedBody(for: head) { bytes, _ in .reply(Response(body: [bytes])) })
            },
            Route(.post, "/heavy") { head in
                .sink(BufferedBody(for: head) { bytes, _ in .work { Response(body: [bytes]) } })
            },
            Route(.post, "/gated") { head in
                .sink(
                    BufferedBody(for: head) { _, _ in
                        .work {
                            gate.pass()
                            return Response(text: "passed")
                        }
                    })
            },
        ]
    }
}

/// Refusals as one line of text: their case and associated values.
let renderPlainly: RefusalRenderer = { refusal, _ in
    Response(refusal.status, text: "\(refusal)")
}

/// Keeps jobs waiting until it is opened, and counts who has arrived.
final class Gate: Sendable {
    private let state = Monitor((arrived: 0, isOpen: false))

    func pass() {
        state.withLock(waking: .everybody) { $0.arrived += 1 }
        state.wait { $0.isOpen ? () : nil }
    }

    func open() {
        state.withLock(waking: .everybody) { $0.isOpen = true }
    }

    /// Waits until so many are inside or have passed, but not for ever: who has been refused never arrives.
    func waitForArrivals(_ count: Int) {
        let arrived: Void? = state.wait(atMost: .seconds(120)) { $0.arrived >= count ? () : nil }
        if arrived == nil { Issue.record("fewer than \(count) have arrived") }
    }

    var arrived: Int { state.withLock { $0.arrived } }
}

/// Keeps every exchange.
final class Recorder: ServerObserver {
    private let exchanges = Monitor([Exchange]())

    func requestFinished(_ exchange: Exchange) {
        exchanges.withLock(waking: .everybody) { $0.append(exchange) }
    }

    var count: Int { exchanges.withLock { $0.count } }

    /// Waits until the server has finished so many requests; nil when it does not within ten seconds.
    func finished(_ count: Int) -> [Exchange]? {
        exchanges.wait(atMost: .seconds(10)) { $0.count >= count ? $0 : nil }
    }
}

extension LoopbackClient.Reply {
    var text: String { String(decoding: body, as: UTF8.self) }
}

extension LoopbackClient {
    /// Sends a request and leaves its reply for later.
    func begin(_ method: HTTPRequest.Method, _ target: String, body: [UInt8] = []) throws(ClientError) {
        try send(head(method, target, [.contentLength: "\(body.count)"]) + body)
    }
}
