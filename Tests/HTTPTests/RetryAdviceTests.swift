import HTTPTypes
import Testing

@testable import HTTP

@Suite("What answers tell of sending again")
struct RetryAdviceTests {
    @Test(
        "503 says when, 504 and 507 that it is of no use, whoever makes them",
        arguments: [
            (503, "7", nil), (504, nil, "false"), (507, nil, "false"), (500, nil, nil), (408, nil, nil),
            (409, nil, nil), (200, nil, nil),
        ] as [(Int, String?, String?)])
    func byStatus(code: Int, retryAfter: String?, shouldRetry: String?) throws {
        let route = Route(.get, "/own") { _ in .reply(Response(.init(code: code), text: "own")) }
        let service = try TestService(routes: [route]) { $0.retryAfter = .seconds(7) }
        let reply = try service.client().request(.get, "/own")
        #expect(reply.status == code && reply.headers[.retryAfter] == retryAfter)
        #expect(reply.headers[.shouldRetry] == shouldRetry)
    }

    @Test("A route's own word on when stays")
    func ownWord() throws {
        let route = Route(.get, "/own") { _ in
            .reply(Response(.serviceUnavailable, headers: [.retryAfter: "9"]))
        }
        let service = try TestService(routes: [route])
        let reply = try service.client().request(.get, "/own")
        #expect(reply.headers[values: .retryAfter] == ["9"])
    }

    @Test("A full queue and a connection too many name their limit")
    func limits() throws {
        let service = try TestService {
            $0.workerThreads = 1
            $0.workQueueLimit = 1
            $0.maxConnections = 3
        }
        let clients = try (0..<2).map { _ in try service.client() }
        try clients[0].begin(.post, "/gated")
        service.gate.waitForArrivals(1)
        try clients[1].begin(.post, "/gated")
        service.waitForQueued(1)
        let full = try service.client()
        let reply = try full.request(.post, "/gated")
        #expect(reply.status == 503 && reply.text.contains("busy(HTTP.FullLimit.queue(1)"))
        let crowded = try service.client().receiveReply()
        #expect(crowded.status == 503 && crowded.text.contains("busy(HTTP.FullLimit.connections(3)"))
        for reply in [reply, crowded] { #expect(reply.headers[.retryAfter] == "1") }
        service.gate.open()
    }

    @Test("What a router says of a request is in every answer to it")
    func fieldsOfTheRouter() throws {
        let named = try #require(HTTPField.Name("X-Said"))
        let router = Router([Route(.get, "/hello") { _ in .reply(Response(text: "hello")) }]) { _ in
            nil
        } fields: {
            [named: $0.path]
        }
        var configuration = ServerConfiguration()
        configuration.address = .tcp(host: "127.0.0.1", port: 0)
        configuration.maxBodyBytes = 10
        let server = try Server(
            configuration, router: router, render: renderPlainly, observer: Recorder())
        for (method, path) in [(HTTPRequest.Method.get, "/hello"), (.get, "/none"), (.post, "/hello")] {
            let client = try LoopbackClient(connectingTo: server.address, timeout: .seconds(10))
            #expect(try client.request(method, path).headers[values: named] == [path])
        }
        server.drain()
    }
}
