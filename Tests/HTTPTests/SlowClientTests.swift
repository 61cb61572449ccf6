import HTTPTypes
import Testing

@testable import HTTP

/// The limits are fractions of a second here, long enough for a busy machine; the tests wait for the server to act and
/// never for a time.
@Suite("Slow clients", .serialized)
struct SlowClientTests {
    private func service(routes: [Route] = []) throws -> TestService {
        try TestService(routes: routes) {
            $0.headerTimeout = .milliseconds(750)
            $0.idleTimeout = .milliseconds(750)
            $0.bodyDeadline = .milliseconds(750)
            $0.minimumBytesPerSecond = 1 << 20
            $0.maxBodyBytes = 1 << 30
        }
    }

    /// Sends one byte after another, each as soon as nothing has come back for a moment, until the server ends it.
    private func trickle(_ bytes: [UInt8], over client: LoopbackClient) throws -> String {
        for byte in bytes {
            do throws(ClientError) {
                try client.send([byte])
                return String(decoding: try client.receiveUntilClosed(), as: UTF8.self)
            } catch .timedOut {
                continue
            } catch .systemCall(_, _) {
                return String(decoding: try client.receiveUntilClosed(), as: UTF8.self)
            }
        }
        Issue.record("the server took \(bytes.count) bytes one by one")
        return ""
    }

    @Test("A connection on which nothing comes is closed without a word")
    func silent() throws {
        let service = try service()
        #expect(try service.client().receiveUntilClosed().isEmpty)
        service.waitForNoConnections()
    }

    @Test("A kept-alive connection is closed when it rests too long")
    func idle() throws {
        let service = try service()
        let client = try service.client()
        #expect(try client.request(.get, "/hello").text == "hello")
        #expect(try client.receiveUntilClosed().isEmpty)
        #expect(service.recorder.count == 1)
    }

    @Test("A head that never ends gets 408 once its first line is there")
    func unfinishedHead() throws {
        let service = try service()
        let client = try service.client()
        try client.send("GET /hello HTTP/1.1\r\nHost: a\r\n")
        let reply = try client.receiveReply()
        #expect(reply.status == 408)
        #expect(reply.text.hasPrefix("headersTooSlow"))
        #expect(try client.receiveUntilClosed().isEmpty)
        let exchange = try #require(service.recorder.finished(1)?.first)
        #expect(exchange.ending == .timeout)
        #expect(exchange.head == nil)
        #expect(exchange.status == .requestTimeout)
    }

    @Test("One byte after another does not keep a head alive", arguments: [true, false])
    func trickledHead(isFirst: Bool) throws {
        let service = try service()
        let client = try service.client()
        if !isFirst { #expect(try client.request(.get, "/hello").text == "hello") }
        client.setTimeout(.milliseconds(20))
        let head = client.head(.get, "/" + String(repeating: "x", count: 5000))
        _ = try trickle(head, over: client)
        service.waitForNoConnections()
    }

    @Test("A body that stalls gets 408", arguments: ["/echo", "/missing"])
    func stalledBody(path: String) throws {
        let service = try service()
        let client = try service.client()
        try client.send(client.head(.post, path, [.contentLength: "100", .requestID: "slow"]))
        try client.send("some")
        let reply = try client.receiveReply()
        #expect(reply.status == 408)
        #expect(reply.text == "bodyTooSlow(received: 4, declared: Optional(100))")
        #expect(reply.headers[.requestID] == "slow")
        #expect(try client.receiveUntilClosed().isEmpty)
        let exchange = try #require(service.recorder.finished(1)?.first)
        #expect(exchange.ending == .timeout)
        #expect(exchange.status == .requestTimeout)
        #expect(exchange.bytesIn == 4)
        service.waitForMemory(0)
    }

    @Test("One byte after another does not keep a body alive", arguments: [true, false])
    func trickledBody(isChunked: Bool) throws {
        let service = try service()
        let client = try service.client(timeout: .milliseconds(20))
        try client.send(
            client.head(.post, "/echo", isChunked ? [.transferEncoding: "chunked"] : [.contentLength: "5000"])
        )
        let body =
            isChunked
            ? Array(repeating: Array("1\r\nx\r\n".utf8), count: 500).flatMap(\.self)
            : Array(repeating: 1, count: 5000)
        let answer = try trickle(body, over: client)
        #expect(answer.hasPrefix("HTTP/1.1 408 "))
        service.waitForNoConnections()
    }

    @Test("A client that does not read its answer is given up")
    func unreadReply() throws {
        let size = 256 << 20
        let route = Route(.get, "/big") { _ in .reply(Response(body: [[UInt8](repeating: 1, count: size)])) }
        let service = try TestService(routes: [route]) {
            $0.bodyDeadline = .milliseconds(200)
            $0.minimumBytesPerSecond = 1 << 30
        }
        let client = try service.client()
        try client.send(client.head(.get, "/big"))
        let exchange = try #require(service.recorder.finished(1)?.first)
        #expect(exchange.ending == .timeout)
        #expect(exchange.bytesOut == 0)
        #expect(try client.receiveUntilClosed().count < size)
    }

    @Test("A client that lingers after an early answer is given up")
    func lingering() throws {
        let service = try TestService {
            $0.maxBodyBytes = 10
            $0.discardBytes = 100
            $0.bodyDeadline = .milliseconds(200)
        }
        let client = try service.client()
        try client.send(client.head(.post, "/echo", [.contentLength: "1000000"]))
        #expect(try client.receiveReply().status == 413)
        #expect(try client.receiveUntilClosed().isEmpty)
        service.waitForNoConnections()
        #expect(service.recorder.finished(1)?.first?.status == .contentTooLarge)
    }

    @Test("A worker that computes long is nobody's slowness")
    func longWork() throws {
        let service = try service()
        let client = try service.client()
        try client.send(client.head(.post, "/gated"))
        service.gate.waitForArrivals(1)
        let idler = try service.client()
        #expect(try idler.receiveUntilClosed().isEmpty)
        service.gate.open()
        #expect(try client.receiveReply().text == "passed")
    }
}
