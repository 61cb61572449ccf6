import HTTP
import HTTPTypes
import Service
import Testing

/// Which browsers' pages may read what is kept.
@Suite struct SiteGuardTests {
    private let paths = ["/v1/live", "/v1/live/batches/1", "/v1/live/events"]

    /// `Host` is the only one: the helper's own would make two.
    private func head(_ path: String, _ fields: [(String, String)]) throws -> RequestHead {
        var headers = HTTPFields()
        for (name, value) in fields {
            headers.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value))
        }
        return try RequestHead(method: "GET", target: path, headers: headers)
    }

    private func status(_ fields: [(String, String)], keepRecent: Int? = 1) throws -> Set<Int> {
        let service = TestService(keepRecent: keepRecent, publicHosts: ["train.example"])
        return Set(
            try paths.map { path in
                let reply = service.service.router.respond(
                    to: try head(path, fields), render: PerceptionService.render)
                if reply.status == .forbidden { try reply.expectProblem(.forbidden) }
                return reply.status.code
            })
    }

    @Test(arguments: [
        "localhost", "localhost:8080", "LocalHost", "127.0.0.1", "127.0.0.1:80", "10.1.2.3:8080", "[::1]",
        "[::1]:8080", "[fe80::1]:1", "train.example", "Train.Example:443",
    ]) func `addresses, localhost and public names may be asked`(host: String) throws {
        #expect(try status([("Host", host)]) == [200, 404])
    }

    @Test(arguments: [
        "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "localhost:8080.evil.example",
        "1.2.3", "1.2.3.4.5", "256.0.0.1", "1.2.3.x", "[evil]", "[::1", "evil.example:80", "xtrain.example",
        "0x7f.0.0.1", "١.0.0.1",
    ]) func `other names may not`(host: String) throws {
        // Some are no Host at all, which is refused before.
        let found = (try? status([("Host", host)])) ?? [403]
        #expect(found == [403])
        #expect(((try? status([("Host", host)], keepRecent: nil)) ?? [403]) == [403])
    }

    @Test(arguments: [
        [("Sec-Fetch-Site", "cross-site")], [("Sec-Fetch-Site", "same-site")], [("Sec-Fetch-Site", "")],
        [("Origin", "http://evil.example")], [("Origin", "null")], [("Origin", "")],
        [("Origin", "http://localhost:9999")], [("Origin", "http://localhost:8080.evil.example")],
        [("Sec-Fetch-Site", "same-origin"), ("Origin", "https://evil.example")],
    ]) func `pages of other sites may not`(fields: [(String, String)]) throws {
        #expect(try status([("Host", "localhost:8080")] + fields) == [403])
    }

    @Test(arguments: [
        [("Sec-Fetch-Site", "same-origin")], [("Sec-Fetch-Site", "none")],
        [("Origin", "http://localhost:8080")],
        [("Origin", "https://train.example")], [("Origin", "https://train.example:8443")],
    ]) func `the server's own may`(fields: [(String, String)]) throws {
        #expect(try status([("Host", "localhost:8080")] + fields) == [200, 404])
    }

    @Test func `the token comes first`() throws {
        let service = TestService(tokens: try bearerTokens("s3cret-1"), keepRecent: 1)
        for path in paths {
            let reply = service.service.router.respond(
                to: try head(path, [("Host", "evil.example")]), render: PerceptionService.render)
            try reply.expectProblem(.unauthorized)
        }
    }
}
