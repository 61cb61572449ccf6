import Glibc
import HTTPTypes
import Locking
import Testing

@testable import HTTP

@Suite("Clients that leave", .serialized)
struct DisconnectTests {
    @Test(
        "A client may leave in its head",
        arguments: ["", "GE", "GET /hello HTTP/1.1\r\n", "GET /hello HTTP/1.1\r\nHost"])
    func inHead(sent: String) throws {
        let service = try TestService()
        do {
            let client = try service.client()
            try client.send(sent)
        }
        #expect(try service.client().request(.get, "/hello").text == "hello")
        service.waitForNoConnections()
    }

    @Test("A client may leave in mid-body", arguments: [true, false], [true, false])
    func inBody(isChunked: Bool, byReset: Bool) throws {
        let released = Gate()
        released.open()
        let route = Route(.post, "/watched") { _ in .sink(WatchedSink(released)) }
        let service = try TestService(routes: [route])
        do {
            let client = try service.client()
            let framing: HTTPFields = isChunked ? [.transferEncoding: "chunked"] : [.contentLength: "1000"]
            try client.send(client.head(.post, "/watched", framing))
            try client.send(isChunked ? "a\r\n0123456789\r\n5\r\n0" : "01234567890")
            service.waitForInFlight(1)
            if byReset { client.resetWhenReleased() }
        }
        let exchange = try #require(service.recorder.finished(1)?.first)
        #expect(exchange.ending == .clientGone)
        #expect(exchange.status == nil)
        #expect(exchange.route == "/watched")
        released.waitForArrivals(1)
        service.waitForNoConnections()
        #expect(service.server.load.inFlight == 0)
        service.waitForMemory(0)
        #expect(try service.client().request(.get, "/hello").text == "hello")
    }

    @Test("A client may leave in mid-reply", arguments: [true, false])
    func inReply(byReset: Bool) throws {
        let route = Route(.post, "/big") { head in
            .sink(
                BufferedBody(for: head) { _, _ in
                    .work { Response(body: [[UInt8](repeating: 1, count: 64 << 20)]) }
                })
        }
        let service = try TestService(routes: [route])
        for _ in 0..<3 {
            let client = try service.client()
            try client.send(client.head(.post, "/big"))
            if byReset { client.resetWhenReleased() }
            // The reply has begun; the rest does not fit into the kernel's buffers.
            #expect(try client.receiveSome() > 0)
        }
        let exchanges = try #require(service.recorder.finished(3))
        #expect(exchanges.allSatisfy { $0.ending == .clientGone && $0.status == .ok && $0.bytesOut == 0 })
        service.waitForNoConnections()
        #expect(try service.client().request(.get, "/hello").text == "hello")
    }

    @Test("The job of a client that left while it was queued is skipped")
    func queuedJobIsSkipped() throws {
        let ran = Monitor(0)
        let route = Route(.post, "/counted") { head in
            .sink(
                BufferedBody(for: head) { _, _ in
                    .work {
                        ran.withLock { $0 += 1 }
                        return Response()
                    }
                })
        }
        let service = try TestService(routes: [route]) { $0.workerThreads = 1 }
        let blocker = try service.client()
        try blocker.send(blocker.head(.post, "/gated"))
        service.gate.waitForArrivals(1)
        let patient = try service.client()
        do {
            let leaver = try service.client()
            try leaver.send(leaver.head(.post, "/counted"))
            service.waitForQueued(1)
        }
        try patient.send(patient.head(.post, "/counted"))
        service.waitForQueued(2)
        service.gate.open()
        #expect(try patient.receiveReply().status == 200)
        let exchanges = try #require(service.recorder.finished(3))
        #expect(exchanges.filter { $0.ending == .clientGone }.count == 1)
        #expect(ran.withLock { $0 } == 1)
    }

    @Test(
        "A client that left is no answered one, be it noticed by the work or at the deadline",
        arguments: ["100", "0.2"])
    func leftDuringWork(timeout: String) throws {
        let began = Gate()
        began.open()
        let route = Route(.post, "/asking") { head in
            .sink(
                BufferedBody(for: head) { _, scope in
                    .work {
                        began.pass()
                        if timeout == "100" {
                            while scope.isWanted {}
                        } else {
                            usleep(400_000)
                        }
                        return Response(.gatewayTimeout, text: "nobody waits")
                    }
                })
        }
        let service = try TestService(routes: [route])
        do {
            let client = try service.client()
            try client.send(
                client.head(.post, "/asking", [.contentLength: "1", .requestTimeout: timeout]) + [1])
            began.waitForArrivals(1)
        }
        let exchange = try #require(service.recorder.finished(1)?.first)
        #expect(exchange.ending == .clientGone && exchange.status == nil && exchange.bytesOut == 0)
        #expect(try service.client().request(.get, "/hello").text == "hello")
    }

    @Test("504 that a route says by itself reaches a client that is there")
    func ownTimeout() throws {
        let route = Route(.post, "/late") { head in
            .sink(BufferedBody(for: head) { _, _ in .work { Response(.gatewayTimeout, text: "late") } })
        }
        let service = try TestService(routes: [route])
        #expect(try service.client().request(.post, "/late", body: [1]).text == "late")
        #expect(service.recorder.finished(1)?.first?.ending == .completed)
    }
}

/// Passes a gate when it is released.
final class WatchedSink: BodySink {
    private let released: Gate

    init(_ released: Gate) {
        self.released = released
    }

    deinit {
        released.pass()
    }

    func receive(_ bytes: RawSpan) -> Response? { nil }
    func finish(_ scope: RequestScope) -> Outcome { .reply(Response()) }
}
