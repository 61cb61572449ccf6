import HTTPTypes
import Testing

@testable import HTTP

@Suite("Serving over a socket", .serialized)
struct ServingTests {
    @Test("One connection carries many requests")
    func keepAlive() throws {
        let service = try TestService()
        let client = try service.client()
        for number in 0..<200 {
            let reply = try client.request(
                .post, number % 2 == 0 ? "/echo" : "/heavy", body: Array("\(number)".utf8))
            #expect(reply.status == 200)
            #expect(reply.text == "\(number)")
        }
        #expect(service.server.load.connections == 1)
        let exchanges = try #require(service.recorder.finished(200))
        #expect(
            exchanges.allSatisfy { $0.ending == .completed && $0.status == .ok && $0.bytesIn == $0.bytesOut })
        #expect(Set(exchanges.map(\.route)) == ["/echo", "/heavy"])
    }

    @Test("Requests sent ahead are answered in order")
    func pipelining() throws {
        let service = try TestService()
        let client = try service.client()
        var wire: [UInt8] = []
        for number in 0..<50 {
            let body = Array("\(number)".utf8)
            let path = ["/echo", "/heavy"][number % 2]
            wire += client.head(.post, path, [.contentLength: "\(body.count)"]) + body
            wire += client.head(.get, "/hello")
        }
        try client.send(wire)
        for number in 0..<50 {
            #expect(try client.receiveReply().text == "\(number)")
            #expect(try client.receiveReply().text == "hello")
        }
    }

    @Test("HEAD has the fields of GET and no body")
    func head() throws {
        let service = try TestService()
        let client = try service.client()
        let get = try client.request(.get, "/pieces")
        let head = try client.request(.head, "/pieces")
        #expect(get.text == "one two three")
        #expect(head.status == 200)
        #expect(head.headers[.contentLength] == get.headers[.contentLength])
        #expect(head.body.isEmpty)
        #expect(try client.request(.get, "/hello").text == "hello")
        let missing = try client.request(.head, "/missing")
        #expect(missing.status == 404)
        #expect(try client.request(.get, "/hello").text == "hello")
    }

    @Test("Every answer carries the fields that all carry", arguments: ["/hello", "/missing"])
    func commonFields(path: String) throws {
        let service = try TestService()
        let client = try service.client()
        let named = try client.request(.get, path, headers: [.requestID: "my-id"])
        #expect(named.headers[.requestID] == "my-id")
        for field in CommonFieldsTests.expected { #expect(named.headers[field.name] == field.value) }
        #expect(named.headers[.server] == "test")
        #expect(named.headers[.date] != nil)
        let first = try client.request(.get, path).headers[.requestID]
        let second = try client.request(.get, path).headers[.requestID]
        #expect(first != nil && first != second)
    }

    @Test("A chunked body arrives whole", arguments: [1, 10, 1000, 100_000])
    func chunked(size: Int) throws {
        let service = try TestService()
        let chunks = (1...7).map { [UInt8](repeating: UInt8($0), count: size) }
        for path in ["/echo", "/heavy"] {
            let reply = try service.client().upload(.post, path, chunks: chunks)
            #expect(reply.status == 200)
            #expect(reply.body == Array(chunks.joined()))
        }
        let exchange = try #require(service.recorder.finished(2)?.first)
        #expect(exchange.bytesIn == 7 * size)
    }

    @Test("A body of megabytes comes back unchanged", arguments: [0, 1, 65_535, 65_536, 65_537, 9_000_001])
    func largeBody(size: Int) throws {
        let service = try TestService { $0.maxBodyBytes = 10_000_000 }
        var state: UInt32 = 1
        let body = (0..<size).map { _ -> UInt8 in
            state = state &* 1_664_525 &+ 1_013_904_223
            return UInt8(truncatingIfNeeded: state >> 24)
        }
        let reply = try service.client().request(.post, "/heavy", body: body)
        #expect(reply.body == body)
        service.waitForMemory(0)
    }

    @Test("An answer may have more pieces than the library has room for")
    func manyPieces() throws {
        let route = Route(.get, "/many") { _ in
            .reply(Response(body: (0..<20_000).map { [UInt8(truncatingIfNeeded: $0)] }))
        }
        let service = try TestService(routes: [route])
        let reply = try service.client().request(.get, "/many")
        #expect(reply.body == (0..<20_000).map { UInt8(truncatingIfNeeded: $0) })
    }

    @Test("Paths and queries arrive decoded")
    func target() throws {
        let route = Route(.get, "/sp ce/é") { head in
            .reply(Response(text: head.query.map { "\($0.name)=\($0.value)" }.joined(separator: ";")))
        }
        let service = try TestService(routes: [route])
        let client = try service.client()
        #expect(try client.request(.get, "/sp%20ce/%C3%A9?a=1&b=%26+%3D&a=2").text == "a=1;b=& =;a=2")
        #expect(try client.request(.get, "http://elsewhere/sp%20ce/%c3%a9?q").text == "q=")
    }

    @Test("OPTIONS answers 204 with Allow", arguments: ["/echo", "*"])
    func options(target: String) throws {
        let service = try TestService()
        let client = try service.client()
        let reply = try client.request(.options, target)
        #expect(reply.status == 204)
        #expect(reply.headers[.allow]?.contains("POST") == true)
        #expect(try client.request(.get, "/hello").text == "hello")
    }

    @Test("A wrong method and an unknown path are refused and keep the connection")
    func refusals() throws {
        let service = try TestService()
        let client = try service.client()
        let wrong = try client.request(.delete, "/hello")
        #expect(wrong.status == 405)
        #expect(wrong.headers[.allow] == "GET, HEAD, OPTIONS")
        #expect(try client.request(.post, "/missing", body: [1, 2, 3]).status == 404)
        #expect(
            try client.request(.post, "/echo", headers: [.contentEncoding: "gzip"], body: [1, 2]).status
                == 415)
        #expect(try client.request(.get, "/hello").text == "hello")
        #expect(service.server.load.connections == 1)
    }

    @Test("An HTTP/1.0 client is served and the connection closed")
    func oldClient() throws {
        let service = try TestService()
        let client = try service.client()
        try client.send("GET /hello HTTP/1.0\r\n\r\n")
        #expect(try client.receiveReply().text == "hello")
        #expect(try client.receiveUntilClosed().isEmpty)
    }

    @Test("A client that has shut down its sending half still gets a light answer")
    func halfClosed() throws {
        // Work that asks whether it is still wanted, in place.
        let asking = Route(.post, "/asking") { head in
            .sink(BufferedBody(for: head) { _, scope in .reply(Response(text: "\(scope.isWanted)")) })
        }
        let service = try TestService(routes: [asking])
        let client = try service.client()
        try client.send(client.head(.post, "/asking"))
        client.finishSending()
        #expect(try client.receiveReply().text == "true")
    }

    @Test("The answer to 100-continue comes before the body is sent", arguments: ["/echo", "/heavy"])
    func expectContinue(path: String) throws {
        let service = try TestService()
        let client = try service.client()
        try client.send(client.head(.post, path, [.contentLength: "5", .expect: "100-continue"]))
        #expect(try client.receiveReply().status == 100)
        try client.send("12345")
        #expect(try client.receiveReply().text == "12345")
        #expect(try client.request(.get, "/hello").text == "hello")
    }

    @Test("It serves over IPv6")
    func overIPv6() throws {
        let service = try TestService { $0.address = .tcp(host: "::1", port: 0) }
        #expect(try service.client().request(.get, "/hello").text == "hello")
    }
}
