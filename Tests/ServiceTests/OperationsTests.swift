import HTTP
import HTTPTypes
import JSON
import Locking
import Logging
import Service
import Testing

/// What is served, how the server tells how it is.
@Suite struct OperationsTests {
    static let posts = ["/v1/score", "/v1/entropy", "/v1/mask", "/v1/advantages", "/v1/perturb"]

    @Test func `health is always live, readiness follows the server`() throws {
        let ready = Readiness()
        let load = Monitor(ServerLoad.idle)
        let service = PerceptionService(
            settings: ServiceSettings(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            isReady: { ready.value }, load: { load.withLock { $0 } })
        func get(_ path: String) throws -> Response {
            let head = try RequestHead(
                target: path, headers: [try #require(HTTPField.Name("Host")): "localhost"])
            return service.router.respond(to: head, render: PerceptionService.render)
        }
        #expect(try get("/healthz").json() == ["status": "live"])
        #expect(try get("/readyz").json() == ["status": "ready"])
        ready.value = false
        #expect(try get("/healthz").json() == ["status": "live"])
        let draining = try get("/readyz")
        try draining.expectProblem(.draining)
        load.withLock { $0.queued = ServiceSettings().server.workQueueLimit }
        let busy = try get("/readyz")
        try busy.expectProblem(.busy)
        let told = try JSONValue(parsing: busy.bytes)
        #expect(told["limit_name"] == "queue_limit" && told["limit"] == 1024)
        for reply in [draining, busy] { #expect(Int(reply.headers[.retryAfter] ?? "") ?? 0 >= 1) }
    }

    @Test func `unknown paths are not found, known ones tell their methods`() throws {
        let service = TestService()
        for path in [
            "/v1", "/v1/scores", "/v1/score/", "/V1/score", "//v1/score", "/v1/score%2F",
            "/v1/%2e%2e/metrics",
        ] {
            try service.send("POST", path).expectProblem(.notFound)
        }
        for (method, path) in [
            ("GET", "/v1/score"), ("PUT", "/v1/score"), ("DELETE", "/v1/perturb"), ("POST", "/healthz"),
        ] {
            let response = try service.send(method, path)
            try response.expectProblem(.methodNotAllowed, field: "method")
            let allow = response.headers[.allow]?.split(separator: ",").map { $0.filter { $0 != " " } } ?? []
            #expect(
                allow.contains(path == "/healthz" ? "GET" : "POST") && allow.contains("OPTIONS")
                    && !allow.contains(method))
        }
        #expect(try service.send("OPTIONS", "/v1/score").status == .noContent)
        #expect(try service.send("HEAD", "/v1/info").status == .ok)
    }

    @Test(arguments: posts) func `bodies of other types and encodings are refused`(path: String) throws {
        let service = TestService()
        for type in [
            nil, "", "text/plain", "application/jsonx", "text/json", "application/xml", "multipart/mixed",
        ] {
            let response = try service.send(
                "POST", path, Array("{}".utf8), headers: type.map { [("Content-Type", $0)] } ?? [])
            let error = try response.expectProblem(.unsupportedMediaType, field: "Content-Type")
            #expect(error["expected"]?.string?.contains("application/json") == true)
        }
        let json = ("Content-Type", "application/json")
        for encoding in ["gzip", "deflate", "br", "identity, gzip"] {
            try service.send("POST", path, Array("{}".utf8), headers: [json, ("Content-Encoding", encoding)])
                .expectProblem(.unsupportedEncoding, field: "Content-Encoding")
        }
        let identity = try service.send(
            "POST", path, Array("{}".utf8), headers: [json, ("Content-Encoding", "identity")])
        #expect(identity.status == .badRequest)
        try service.send("POST", path, Array("{}".utf8), headers: [json, ("Expect", "200-ok")]).expectProblem(
            .expectationFailed)
    }

    @Test(arguments: [
        ("application/json; charset=utf-8", 200), ("APPLICATION/JSON", 200),
        (" application/json ;x=\"a;b\"", 200), ("application/json;", 200),
    ]) func `parameters and case of Content-Type don't matter`(type: String, status: Int) throws {
        let body = Array(#"{"rollouts":[]}"#.utf8)
        #expect(
            try TestService().send("POST", "/v1/score", body, headers: [("Content-Type", type)]).status.code
                == status)
    }

    static let accepts: [(String?, String, String)] = [
        (nil, "application/json", "application/json"),
        (nil, "application/x-safetensors", "application/x-safetensors"),
        ("*/*", "application/x-safetensors", "application/x-safetensors"),
        ("*/*", "application/json", "application/json"),
        ("application/json", "application/x-safetensors", "application/json"),
        ("application/x-safetensors", "application/json", "application/x-safetensors"),
        ("application/octet-stream", "application/json", "application/x-safetensors"),
        ("application/*", "application/json", "application/json"),
        ("APPLICATION/JSON", "application/x-safetensors", "application/json"),
        ("text/html", "application/x-safetensors", "application/x-safetensors"),
        ("", "application/json", "application/json"),
        (
            "application/json;q=0.4, application/x-safetensors;q=0.6", "application/json",
            "application/x-safetensors"
        ),
        (
            "application/json;q=0.6, application/x-safetensors;q=0.4", "application/x-safetensors",
            "application/json"
        ),
        ("application/json;q=0, */*", "application/json", "application/x-safetensors"),
        ("*/*;q=0.1, application/json", "application/x-safetensors", "application/json"),
        ("text/html, application/json;q=nan, */*;q=bogus", "application/json", "application/x-safetensors"),
        (",,;;q=1,", "application/json", "application/json"),
    ]

    @Test(arguments: accepts) func `Accept chooses the form of the reply`(
        accept: String?, sent: String, got: String
    ) throws {
        let batch = TokenBatch(lengths: [2], seed: 51)
        let body = sent == "application/json" ? batch.rollouts([:]) : batch.safetensors([:], packed: false)
        let response = try TestService().send(
            "POST", "/v1/score", body,
            headers: [("Content-Type", sent)] + (accept.map { [("Accept", $0)] } ?? []))
        #expect(response.status == .ok && response.headers[.contentType] == got)
    }

    @Test func `rollouts answered in safetensors are packed`() throws {
        let batch = TokenBatch(lengths: [2, 3], seed: 52)
        let response = try TestService().send(
            "POST", "/v1/score", batch.rollouts([:]),
            headers: [("Content-Type", "application/json"), ("Accept", "application/x-safetensors")])
        let other = try TestService().post("/v1/score", batch.rollouts([:]), type: "application/json")
        let reply = try FlatReply(response, lengths: [2, 3], packed: true)
        #expect(try reply == FlatReply(other, lengths: [2, 3]))
    }

    @Test func `a body above the limit is refused with the limit`() throws {
        let service = TestService()
        let host = try #require(HTTPField.Name("Host"))
        let head = try RequestHead(
            method: "POST", target: "/v1/score",
            headers: [.contentType: "application/json", .contentLength: "100", host: "localhost"])
        let response = service.service.router.respond(
            to: head, body: [UInt8](repeating: 0x20, count: 100), maxBodyBytes: 99,
            render: PerceptionService.render)
        try response.expectProblem(.bodyTooLarge)
        #expect(try JSONValue(parsing: response.bytes)["limit"] == 99)
    }

    @Test func `Server-Timing names the three phases`() throws {
        let response = try TestService().post(text: #"{"rollouts":[]}"#, to: "/v1/score")
        let name = try #require(HTTPField.Name("Server-Timing"))
        let timing = try #require(response.headers[name])
        #expect(
            timing.wholeMatch(of: /decode;dur=\d+\.\d{3}, compute;dur=\d+\.\d{3}, encode;dur=\d+\.\d{3}/)
                != nil, "\(timing)")
    }

    @Test func `problems carry the request's id`() throws {
        let response = try TestService().send("POST", "/v1/score", headers: [("X-Request-ID", "abc-1")])
        #expect(try JSONValue(parsing: response.bytes)["request_id"] == "abc-1")
    }
}

/// A flag that a test turns while the service looks at it.
private final class Readiness: Sendable {
    private let flag = Monitor(true)

    var value: Bool {
        get { flag.withLock { $0 } }
        set { flag.withLock { $0 = newValue } }
    }
}
