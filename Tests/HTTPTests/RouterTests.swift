import HTTPTypes
import Testing

@testable import HTTP

@Suite("Router, without sockets")
struct RouterTests {
    private let router = Router([
        Route(.get, "/info") { head in
            .reply(Response(text: head.query.first { $0.name == "name" }?.value ?? "nobody"))
        },
        Route(.post, "/items") { head in
            .sink(BufferedBody(for: head) { bytes, _ in .reply(Response(body: [bytes])) })
        },
        Route(.get, "/items") { _ in .reply(Response(text: "list")) },
        Route(.post, "/heavy", maxBodyBytes: 10) { head in
            .sink(BufferedBody(for: head) { bytes, _ in .work { Response(body: [bytes.reversed()]) } })
        },
    ])

    private func respond(
        _ method: String, _ target: String, headers: HTTPFields = [:], body: [UInt8] = [], chunk: Int = 3
    ) throws -> Response {
        var headers = headers
        headers[.host] = "test"
        let head = try RequestHead(method: method, target: target, headers: headers)
        return router.respond(to: head, body: body, chunk: chunk, maxBodyBytes: 100, render: renderPlainly)
    }

    @Test("A route is found by method and exact path")
    func matches() throws {
        #expect(try respond("GET", "/info?name=x").body == [Array("x".utf8)])
        #expect(try respond("GET", "/items").body == [Array("list".utf8)])
        #expect(try respond("GET", "/info/").status == .notFound)
        #expect(try respond("GET", "/Info").status == .notFound)
    }

    @Test("HEAD is served by the route for GET")
    func headByGet() {
        guard case .matched(let route) = router.resolve(.head, "/info") else {
            Issue.record("HEAD did not match")
            return
        }
        #expect(route.method == .get)
    }

    @Test("A wrong method is refused with the right ones", arguments: ["DELETE", "PUT", "POST", "BREW"])
    func wrongMethod(method: String) throws {
        let response = try respond(method, "/info")
        #expect(response.status == .methodNotAllowed)
        #expect(response.headers[.allow] == "GET, HEAD, OPTIONS")
    }

    @Test("HEAD needs a GET")
    func headWithoutGet() throws {
        let response = try respond("HEAD", "/heavy")
        #expect(response.status == .methodNotAllowed)
        #expect(response.headers[.allow] == "OPTIONS, POST")
    }

    @Test("OPTIONS lists the methods of a path and of the server")
    func options() throws {
        let path = try respond("OPTIONS", "/items")
        #expect(path.status == .noContent)
        #expect(path.headers[.allow] == "GET, HEAD, OPTIONS, POST")
        #expect(try respond("OPTIONS", "*").headers[.allow] == "GET, HEAD, OPTIONS, POST")
        #expect(try respond("OPTIONS", "/nothing").status == .notFound)
    }

    @Test("A body arrives whole whatever its pieces", arguments: [1, 2, 3, 7, 64, 1000])
    func pieces(chunk: Int) throws {
        let body = (0..<64).map { UInt8($0) }
        #expect(try respond("POST", "/items", body: body, chunk: chunk).body == [body])
    }

    @Test("Heavy work runs inline")
    func heavy() throws {
        #expect(try respond("POST", "/heavy", body: [1, 2, 3]).body == [[3, 2, 1]])
    }

    @Test("A route's own limit replaces the general one")
    func limits() throws {
        #expect(try respond("POST", "/heavy", body: Array(repeating: 0, count: 10)).status == .ok)
        #expect(
            try respond("POST", "/heavy", body: Array(repeating: 0, count: 11)).status == .contentTooLarge)
        #expect(
            try respond("POST", "/items", body: Array(repeating: 0, count: 101)).status == .contentTooLarge)
        let declared = try respond("POST", "/heavy", headers: [.contentLength: "11"])
        #expect(declared.status == .contentTooLarge)
    }

    @Test(
        "An encoded body is refused before it is read",
        arguments: ["gzip", "deflate", "br", "gzip, identity"])
    func contentEncoding(encoding: String) throws {
        let response = try respond("POST", "/items", headers: [.contentEncoding: encoding])
        #expect(response.status == .unsupportedMediaType)
        #expect(response.headers[.acceptEncoding] == "identity")
    }

    @Test("The encoding that changes nothing is accepted")
    func identityEncoding() throws {
        #expect(try respond("POST", "/items", headers: [.contentEncoding: "Identity"]).status == .ok)
    }

    @Test("Only 100-continue may be expected")
    func expectations() throws {
        #expect(try respond("POST", "/items", headers: [.expect: "100-Continue"]).status == .ok)
        #expect(try respond("POST", "/items", headers: [.expect: "coffee"]).status == .expectationFailed)
    }

    @Test("An answer of the sink in mid-body ends the request")
    func earlyAnswer() throws {
        let sink = StoppingSink(after: 5)
        let router = Router([
            Route(.post, "/stop") { [count = sink.limit] _ in .sink(StoppingSink(after: count)) }
        ])
        let head = try RequestHead(method: "POST", target: "/stop", headers: [.host: "x"])
        let response = router.respond(
            to: head, body: Array(repeating: 1, count: 100), chunk: 2, render: renderPlainly)
        #expect(response.status == .unprocessableContent)
        #expect(response.body == [Array("stopped at 6".utf8)])
    }

    @Test("All paths are known with their methods")
    func paths() {
        #expect(Set(router.paths.keys) == ["/info", "/items", "/heavy"])
        #expect(router.paths["/heavy"] == [.options, .post])
    }
}

/// Answers 422 once more than `limit` bytes have arrived, else 200 with their number.
final class StoppingSink: BodySink {
    let limit: Int
    private var received = 0

    init(after limit: Int) {
        self.limit = limit
    }

    var memory: MemoryClaim { .fixed(0) }

    func receive(_ bytes: RawSpan) -> Response? {
        received += bytes.byteCount
        return received > limit ? Response(.unprocessableContent, text: "stopped at \(received)") : nil
    }

    func finish(_ scope: RequestScope) -> Outcome {
        .reply(Response(text: "\(received)"))
    }
}
