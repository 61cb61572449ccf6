import Glibc
import HTTPTypes
import Testing

@testable import HTTP

@Suite("TLS", .serialized)
struct TLSTests {
    private let material: TLSMaterial

    init() throws {
        material = try TLSMaterial()
    }

    private func service(
        routes: [Route] = [], configure: (inout ServerConfiguration) -> Void = { _ in }
    ) throws -> TestService {
        let identity = try material.identity()
        return try TestService(routes: routes) {
            $0.tls = identity
            configure(&$0)
        }
    }

    /// What comes out of the tunnel came through the library; other bytes end it and are told of.
    private func withClient(of service: TestService, _ body: (LoopbackClient) throws -> Void) throws {
        let tunnel = try OpenSSL.tunnel(to: service.server)
        try body(LoopbackClient(over: tunnel.socket))
        #expect(!tunnel.sawPlainBytes())
    }

    @Test("One connection carries many requests, answered in place and by workers")
    func keepAlive() throws {
        let service = try service()
        try withClient(of: service) { client throws in
            for number in 0..<200 {
                let reply = try client.request(
                    .post, number % 2 == 0 ? "/echo" : "/heavy", body: Array("\(number)".utf8))
                #expect(reply.text == "\(number)")
                #expect(reply.headers[.strictTransportSecurity] == "max-age=31536000")
            }
        }
        let exchanges = try #require(service.recorder.finished(200))
        #expect(exchanges.allSatisfy { $0.ending == .completed })
    }

    @Test("Requests sent ahead are answered in order, while others wait for workers")
    func pipelining() throws {
        let service = try service()
        try withClient(of: service) { client throws in
            var wire: [UInt8] = []
            for number in 0..<40 {
                wire += client.head(.post, "/heavy", [.contentLength: "2"]) + Array("\(number + 10)".utf8)
                wire += client.head(.get, "/pieces")
            }
            try client.send(wire)
            for number in 0..<40 {
                #expect(try client.receiveReply().text == "\(number + 10)")
                #expect(try client.receiveReply().text == "one two three")
            }
        }
    }

    @Test("Bodies of many records arrive and leave whole", arguments: [1, 16_384, 16_385, 1 << 20])
    func largeBodies(size: Int) throws {
        let service = try service()
        let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 8) }
        try withClient(of: service) { client throws in
            #expect(try client.request(.post, "/echo", body: body).body == body)
            #expect(try client.upload(.post, "/heavy", chunks: [body]).body == body)
        }
    }

    /// Over TLS nothing is sent from where it lies.
    @Test(
        "Streamed pieces arrive whole and in order",
        arguments: [[0], [5, 0, 7], [1_000_000, 3, 0, 200_000], Array(repeating: 40_000, count: 60)])
    func streamed(_ sizes: [Int]) throws {
        let pieces = StreamedReplyTests.Pieces(sizes)
        let service = try service(routes: [StreamedReplyTests.route(pieces)])
        try withClient(of: service) { client throws in
            for _ in 0..<2 {
                let reply = try client.request(.post, "/stream", body: [1])
                #expect(reply.headers[.transferEncoding] == "chunked")
                #expect(reply.body == Array("first ".utf8) + pieces.whole)
            }
            #expect(try client.request(.get, "/hello").text == "hello")
        }
        let exchanges = try #require(service.recorder.finished(3))
        #expect(exchanges.allSatisfy { $0.ending == .completed })
        service.waitForMemory(0)
    }

    @Test("A streamed piece that fails leaves the reply without its end", arguments: [0, 7])
    func cutOff(_ failing: Int) throws {
        let pieces = StreamedReplyTests.Pieces(Array(repeating: 100_000, count: 8), failing: failing)
        let service = try service(routes: [StreamedReplyTests.route(pieces)])
        try withClient(of: service) { client throws in
            #expect(throws: ClientError.self) { try client.request(.post, "/stream", body: [1]) }
        }
        #expect(try #require(service.recorder.finished(1)).first?.ending == .clientGone)
        service.waitForMemory(0)
    }

    @Test("A reply of many pieces arrives whole, and its memory is given back as it is sent")
    func piecemeal() throws {
        let size = 8 << 20
        let large = Route(.post, "/large") { head in
            .sink(
                BufferedBody(for: head) { _, _ in
                    .work { Response(body: (0..<8).map { [UInt8](repeating: UInt8($0), count: size) }) }
                })
        }
        let service = try service(routes: [large])
        try withClient(of: service) { client throws in
            try client.begin(.post, "/large")
            _ = try client.receiveSome(atLeast: 5 * size)
            let deadline = Moment.now + .seconds(20)
            while service.server.load.memoryBytes > 4 * size, .now < deadline { usleep(1000) }
            #expect(service.server.load.memoryBytes <= 4 * size)
            let reply = try client.receiveReply(to: .post)
            #expect(reply.headers[.contentLength] == "\(8 * size)")
            #expect(reply.body == (0..<8).flatMap { [UInt8](repeating: UInt8($0), count: size) })
        }
        service.waitForMemory(0)
    }

    @Test(
        "A handshake that stops halfway is closed when a head would be",
        arguments: ["", "\u{16}", "\u{16}\u{3}\u{1}\u{1}"])
    func halfHandshake(bytes: String) throws {
        let service = try service { $0.headerTimeout = .milliseconds(200) }
        let client = try service.client()
        try client.send(bytes)
        #expect(try client.receiveUntilClosed().isEmpty)
        service.waitForNoConnections()
        #expect(service.recorder.count == 0)
    }

    @Test("A client too slow for its head or body is closed without a word", arguments: [true, false])
    func tooSlow(inHead: Bool) throws {
        let service = try service {
            // Long enough for a handshake on a busy machine.
            $0.headerTimeout = .seconds(1)
            $0.bodyDeadline = .seconds(1)
        }
        try withClient(of: service) { client throws in
            let head = client.head(.post, "/echo", [.contentLength: "100"])
            try client.send(inHead ? Array(head.dropLast(4)) : head + Array("some".utf8))
            #expect(try client.receiveUntilClosed().isEmpty)
        }
        let exchange = try #require(service.recorder.finished(1)?.first)
        #expect(exchange.ending == .timeout)
        #expect(exchange.status == nil)
        service.waitForMemory(0)
    }

    @Test("A client that does not read its answer is given up")
    func unreadReply() throws {
        let size = 64 << 20
        let route = Route(.get, "/big") { _ in .reply(Response(body: [[UInt8](repeating: 1, count: size)])) }
        let service = try service(routes: [route]) {
            $0.bodyDeadline = .milliseconds(200)
            $0.minimumBytesPerSecond = 1 << 30
        }
        try withClient(of: service) { client throws in
            try client.send(client.head(.get, "/big"))
            let exchange = try #require(service.recorder.finished(1)?.first)
            #expect(exchange.ending == .timeout)
            #expect(exchange.bytesOut == 0)
        }
    }

    @Test("Refused in mid-body, a body is read as far as its route would have read it, then answered or not")
    func refusedInMidBody() throws {
        let picky = Route(.post, "/picky", maxBodyBytes: 2 << 20) { _ in .sink(Picky()) }
        let service = try service(routes: [picky]) { $0.lingerBytes = 1000 }
        try withClient(of: service) { client throws in
            let reply = try client.upload(
                .post, "/picky", chunks: Array(repeating: Array(repeating: 1, count: 1000), count: 1000))
            #expect(reply.status == 400)
        }
        try withClient(of: service) { client throws in
            let long = [UInt8](repeating: 1, count: 500_000)
            #expect(try client.request(.post, "/picky", body: long).status == 400)
            #expect(try client.request(.get, "/hello").text == "hello")
        }
        try withClient(of: service) { client throws in
            let chunks = Array(repeating: [UInt8](repeating: 1, count: 10_000), count: 1000)
            #expect(throws: ClientError.self) { try client.upload(.post, "/picky", chunks: chunks) }
        }
        let exchanges = try #require(service.recorder.finished(4))
        #expect(exchanges.last?.status == nil)
        #expect((exchanges.last?.bytesIn ?? 0) < 3 << 20)
    }

    @Test("Above the limit of connections one is closed without a word")
    func tooManyConnections() throws {
        let service = try service { $0.maxConnections = 1 }
        try withClient(of: service) { client throws in
            #expect(try client.request(.get, "/hello").text == "hello")
            #expect(try service.client().receiveUntilClosed().isEmpty)
            #expect(try client.request(.get, "/hello").text == "hello")
        }
    }

    @Test("When a drain's grace is over, what waits is answered and what sends is closed")
    func graceOver() throws {
        let service = try service {
            $0.workerThreads = 1
            $0.drainGrace = .milliseconds(100)
        }
        let tunnels = try (0..<4).map { _ in try OpenSSL.tunnel(to: service.server) }
        let clients = tunnels.map { LoopbackClient(over: $0.socket) }
        for client in clients[..<3] { try client.send(client.head(.post, "/gated")) }
        service.gate.waitForArrivals(1)
        service.waitForQueued(2)
        try clients[3].send(clients[3].head(.post, "/echo", [.contentLength: "4"]) + Array("ab".utf8))
        service.waitForInFlight(4)
        #expect(!service.server.drain())
        for client in clients[..<3] {
            #expect(try client.receiveReply().status == 503)
            #expect(try client.receiveUntilClosed().isEmpty)
        }
        #expect(try clients[3].receiveUntilClosed().isEmpty)
        for tunnel in tunnels { #expect(!tunnel.sawPlainBytes()) }
        service.gate.open()
    }

    @Test("A key of another certificate is named, and the address is free again")
    func foreignKey() throws {
        let other = try TLSMaterial()
        let identity = try TLSIdentity(
            certificateFile: material.certificate.path, keyFile: other.key.path)
        let address = try TestService().server.address
        let error = #expect(throws: ServerError.self) {
            _ = try TestService {
                $0.address = address
                $0.tls = identity
            }
        }
        #expect(error?.description.hasSuffix("The certificate and the given key do not match.") == true)
        #expect(throws: Never.self) { try TestService { $0.address = address } }
    }
}

/// Refuses with the first byte.
private final class Picky: BodySink {
    let memory = MemoryClaim.fixed(0)
    func receive(_ piece: RawSpan) -> Response? { Response(.badRequest, text: "no") }
    func finish(_ scope: RequestScope) -> Outcome { .reply(Response(text: "never")) }
}
