import HTTP
import HTTPTypes
import JSON
import Service
import Testing

/// Who may call: nobody without a token, but those who ask whether the server lives.
@Suite struct GuardTests {
    /// Every route there is, by a path that it takes, and what no route has.
    private func requests(_ service: TestService) -> [(method: String, path: String)] {
        let routes = service.service.router.paths.flatMap { path, methods in
            methods.map { ($0.rawValue, path.replacing("{name}", with: "papo-removing")) }
        }
        return routes + [
            ("GET", "/nothing"), ("DELETE", "/v1/score"), ("OPTIONS", "*"), ("PUT", "/metrics"),
            ("GET", "/healthz/"), ("GET", "/docs/"), ("GET", "/assets"), ("GET", "/live/events"),
            ("POST", "/v1/score?input_file=a&input_file=b"), ("GET", "/%68ealthz2"), ("BREW", "/v1/info"),
        ]
    }

    /// Probes, and pages that hold nothing.
    private func isOpen(_ path: String) -> Bool {
        ["/healthz", "/readyz", "/", "/docs", "/live"].contains(path) || path.hasPrefix("/assets/")
    }

    @Test func `without the token, all but probes and empty pages is 401, and so is every path that is none`()
        throws
    {
        let service = TestService(tokens: try bearerTokens("s3cret-1"))
        let all = requests(service)
        #expect(all.count > 45 && all.contains { $0.path == "/metrics" })
        for (method, path) in all {
            let response = try service.send(method, path)
            if isOpen(path) {
                #expect([200, 204, 404].contains(response.status.code), "\(method) \(path)")
            } else {
                try response.expectProblem(.unauthorized, field: "Authorization")
                let password = path.hasPrefix("/client/") ? ", Basic realm=\"perception-server\"" : ""
                #expect(
                    response.headers[.wwwAuthenticate] == "Bearer realm=\"perception-server\"" + password)
                #expect(response.headers[.allow] == nil)
            }
        }
    }

    @Test func `with the token, no route says 401`() throws {
        let service = TestService(tokens: try bearerTokens("s3cret-1"))
        for (method, path) in requests(service) {
            let response = try service.send(method, path, headers: [("Authorization", "Bearer s3cret-1")])
            #expect(response.status != .unauthorized, "\(method) \(path)")
        }
    }

    @Test func `without tokens configured everybody gets in`() throws {
        let service = TestService()
        for (method, path) in requests(service) {
            #expect(try service.send(method, path).status != .unauthorized, "\(method) \(path)")
        }
    }

    @Test func `metrics can be opened, and nothing else is with them`() throws {
        let service = TestService(tokens: try bearerTokens("s3cret-1"), opensMetrics: true)
        let open = try requests(service).filter {
            try service.send($0.method, $0.path).status != .unauthorized
        }
        #expect(Set(open.map(\.path).filter { !isOpen($0) }) == ["/metrics"])
    }

    @Test func `a stranger learns no limit, type or encoding from a refusal`() throws {
        let service = TestService(tokens: try bearerTokens("s3cret-1"))
        for fields in [
            [("Content-Type", "text/plain")], [("Content-Encoding", "gzip")], [("Expect", "nothing")],
            [("Content-Length", "999999999999999")],
        ] {
            try service.send("POST", "/v1/score", headers: fields).expectProblem(.unauthorized)
        }
    }

    static let wrong: [(String, error: Bool)] = [
        ("", false), ("s3cret-1", false), ("Bearer", false), ("Basic s3cret-1", false),
        ("Bearers3cret-1", false),
        ("Bearer\ts3cret-1", false), ("Bearer,s3cret-1", false), ("Bearer ", false), ("Bearer s3cret-", true),
        ("Bearer s3cret-12", true), ("Bearer S3CRET-1", true), ("Bearer s3cret-1 other-token", true),
        ("Bearer s3cret-1,other-token", true), ("Bearer \"s3cret-1\"", true), ("Bearer token=s3cret-1", true),
        ("Bearer s3cret-1;", true), ("Bearer Bearer s3cret-1", true),
    ]

    @Test(arguments: wrong) func `what is not the token is refused`(value: String, error: Bool) throws {
        let service = TestService(tokens: try bearerTokens("s3cret-1", "other-token"))
        let response = try service.send("GET", "/v1/info", headers: [("Authorization", value)])
        try response.expectProblem(.unauthorized, field: "Authorization")
        #expect(
            response.headers[.wwwAuthenticate]
                == "Bearer realm=\"perception-server\"" + (error ? ", error=\"invalid_token\"" : ""))
        #expect(!response.text.contains("cret") && !response.text.contains("other"))
    }

    /// In base64: `_:s3cret-1`, `anyone:other-token`.
    @Test(arguments: ["Basic XzpzM2NyZXQtMQ==", "bAsIc  YW55b25lOm90aGVyLXRva2Vu"])
    func `below client, and there alone, the token may be a password`(value: String) throws {
        let service = TestService(tokens: try bearerTokens("s3cret-1", "other-token"))
        let sent = [("Authorization", value)]
        #expect(try service.send("GET", "/client/", headers: sent).status == .ok)
        #expect(try service.send("GET", "/client/old.whl", headers: sent).status == .notFound)
        for path in ["/v1/info", "/client", "/clients/", "/openapi.yaml"] {
            try service.send("GET", path, headers: sent).expectProblem(.unauthorized, field: "Authorization")
        }
    }

    /// No base64, no colon, the token as the user, another token, one with a byte more.
    @Test(arguments: [
        ("Basic s3cret-1", false), ("Basic", false), ("Basic czNjcmV0LTE=", false),
        ("Basic czNjcmV0LTE6", true),
        ("Basic Xzp3cm9uZy0xMg==", true), ("Basic XzpzM2NyZXQtMTI=", true),
    ]) func `a wrong password is refused below client`(value: String, error: Bool) throws {
        let service = TestService(tokens: try bearerTokens("s3cret-1"))
        let response = try service.send("GET", "/client/", headers: [("Authorization", value)])
        try response.expectProblem(.unauthorized, field: "Authorization")
        #expect(
            response.headers[.wwwAuthenticate] == "Bearer realm=\"perception-server\""
                + (error ? ", error=\"invalid_token\"" : "") + ", Basic realm=\"perception-server\"")
        #expect(!response.text.contains("cret"))
    }

    @Test(arguments: ["Bearer s3cret-1", "bearer other-token", "BEARER s3cret-1", "bEaReR    other-token"])
    func `the scheme's case and the number of blanks don't matter`(value: String) throws {
        let service = TestService(tokens: try bearerTokens("s3cret-1", "other-token"))
        #expect(try service.send("GET", "/v1/info", headers: [("Authorization", value)]).status == .ok)
    }

    @Test(arguments: [
        ["Bearer s3cret-1", "Bearer s3cret-1"], ["Bearer s3cret-1", "Basic eA=="], ["", "Bearer s3cret-1"],
    ]) func `a repeated Authorization header is refused, whatever is in it`(values: [String]) throws {
        let service = TestService(tokens: try bearerTokens("s3cret-1"))
        try service.send("GET", "/v1/info", headers: values.map { ("Authorization", $0) })
            .expectProblem(.unauthorized, field: "Authorization")
        try service.send("GET", "/v1/info", headers: values.map { ("authorization", $0) })
            .expectProblem(.unauthorized, field: "Authorization")
    }

    @Test func `tokens that replace others hold from the next request on`() throws {
        let tokens = try bearerTokens("s3cret-1")
        let service = TestService(tokens: tokens)
        func status(_ token: String) throws -> Int {
            try service.send("GET", "/v1/info", headers: [("Authorization", "Bearer \(token)")]).status.code
        }
        #expect(try [status("s3cret-1"), status("s3cret-2")] == [200, 401])
        tokens.replace(with: [try BearerToken("s3cret-2".utf8)])
        #expect(try [status("s3cret-1"), status("s3cret-2")] == [401, 200])
    }
}
