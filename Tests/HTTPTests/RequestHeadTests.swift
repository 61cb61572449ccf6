import HTTPTypes
import Testing

@testable import HTTP

@Suite("Request heads, without sockets")
struct RequestHeadTests {
    @Test(
        "Targets are taken apart and decoded",
        arguments: [
            ("/", "/", []),
            ("/v1/score", "/v1/score", []),
            ("/a%20b/%C3%A9", "/a b/é", []),
            ("/a+b", "/a+b", []),
            ("/a?x=1&y=2&x=3", "/a", [("x", "1"), ("y", "2"), ("x", "3")]),
            ("/a?x", "/a", [("x", "")]),
            ("/a?x=", "/a", [("x", "")]),
            ("/a?=x", "/a", [("", "x")]),
            ("/a?", "/a", []),
            ("/a?&&x=1&", "/a", [("x", "1")]),
            ("/a?x=a+b%2Bc", "/a", [("x", "a b+c")]),
            ("/a?x=a=b", "/a", [("x", "a=b")]),
            ("/a?x=%0A", "/a", [("x", "\n")]),
            ("/a?s=%5B%7B%22step%22%3A1%7D%5D", "/a", [("s", "[{\"step\":1}]")]),
            ("/a%3Fb?c", "/a?b", [("c", "")]),
            ("http://host:80/a/b?c=d", "/a/b", [("c", "d")]),
            ("https://host", "/", []),
            ("http://host?q=1", "/", [("q", "1")]),
        ] as [(String, String, [(String, String)])])
    func targets(target: String, path: String, query: [(String, String)]) throws {
        let parsed = try RequestTarget(parsing: Array(target.utf8))
        #expect(parsed.path == path)
        #expect(parsed.query == query.map { QueryItem(name: $0.0, value: $0.1) })
    }

    @Test(
        "A target that could mean two things is refused",
        arguments: [
            ("", .targetInvalid("")),
            ("v1/score", .targetInvalid("v1/score")),
            ("host:443", .targetInvalid("host:443")),
            ("ftp://host/a", .targetInvalid("ftp://host/a")),
            ("/a%", .percentEncodingInvalid(position: 2)),
            ("/a%4", .percentEncodingInvalid(position: 2)),
            ("/a%4?x", .percentEncodingInvalid(position: 2)),
            ("/%zz", .percentEncodingInvalid(position: 1)),
            ("/a?b=%g0", .percentEncodingInvalid(position: 5)),
            ("/a?b=%4&c", .percentEncodingInvalid(position: 5)),
            ("/a%00b", .controlByte(0, position: 2)),
            ("/a%0d%0aX", .controlByte(0x0D, position: 2)),
            ("/a%7f", .controlByte(0x7F, position: 2)),
            ("/a\u{1}b", .controlByte(1, position: 2)),
            ("/a?b=\u{8}", .controlByte(8, position: 5)),
            ("/a?b=%00", .controlByte(0, position: 5)),
            ("/a b", .controlByte(0x20, position: 2)),
            ("/%ff", .notUTF8(.path)),
            ("/a?b=%c3", .notUTF8(.query)),
        ] as [(String, MalformedRequest)])
    func badTargets(target: String, flaw: MalformedRequest) {
        #expect(throws: flaw) { try RequestTarget(parsing: Array(target.utf8)) }
    }

    private static func fields(_ pairs: [(String, String)]) -> HTTPFields {
        var fields = HTTPFields()
        for (name, value) in pairs {
            guard let name = HTTPField.Name(name) else { continue }
            fields.append(HTTPField(name: name, value: value))
        }
        return fields
    }

    @Test(
        "Heads that two parsers could read in two ways are refused",
        arguments: [
            (
                [("Content-Length", "5"), ("Transfer-Encoding", "chunked")],
                .contentLengthWithTransferEncoding
            ),
            ([("Content-Length", "5"), ("content-length", "5")], .contentLengthRepeated(count: 2)),
            ([("Content-Length", "5, 5")], .contentLengthInvalid("5, 5")),
            ([("Content-Length", "+5")], .contentLengthInvalid("+5")),
            ([("Content-Length", "-1")], .contentLengthInvalid("-1")),
            ([("Content-Length", "")], .contentLengthInvalid("")),
            ([("Content-Length", "0x10")], .contentLengthInvalid("0x10")),
            ([("Content-Length", "99999999999999999999")], .contentLengthInvalid("99999999999999999999")),
            ([("Transfer-Encoding", "gzip, chunked")], .transferEncodingUnsupported("gzip, chunked")),
            ([("Transfer-Encoding", "identity")], .transferEncodingUnsupported("identity")),
            ([("Transfer-Encoding", "")], .transferEncodingUnsupported("")),
            (
                [("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")],
                .transferEncodingUnsupported("chunked, chunked")
            ),
            ([("Host", "b")], .hostRepeated(count: 2)),
        ] as [([(String, String)], MalformedRequest)])
    func smuggling(extra: [(String, String)], flaw: MalformedRequest) {
        let headers = Self.fields([("Host", "a")] + extra)
        #expect(throws: flaw) { try RequestHead(method: "POST", target: "/", headers: headers) }
    }

    @Test("HTTP/1.1 needs one plausible Host", arguments: ["a,b", "a b", "a/b", "u@a", "a\u{E9}"])
    func hosts(host: String) {
        #expect(throws: MalformedRequest.hostMissing) { try RequestHead(target: "/", headers: [:]) }
        #expect(throws: MalformedRequest.self) { try RequestHead(target: "/", headers: [.host: host]) }
    }

    @Test("HTTP/1.0 needs none and knows no chunks")
    func oldVersion() throws {
        #expect(try RequestHead(target: "/", version: "HTTP/1.0", headers: [:]).path == "/")
        #expect(throws: MalformedRequest.transferEncodingUnsupported("chunked")) {
            try RequestHead(
                method: "POST", target: "/", version: "HTTP/1.0", headers: [.transferEncoding: "chunked"])
        }
    }

    @Test("Other versions are refused", arguments: ["HTTP/1.2", "HTTP/2.0", "http/1.1", "HTTP/1.1 ", ""])
    func versions(version: String) {
        #expect(throws: MalformedRequest.versionUnsupported(version)) {
            try RequestHead(target: "/", version: version, headers: [.host: "a"])
        }
    }

    @Test("Framing is what the fields say")
    func framing() throws {
        #expect(try RequestHead(target: "/", headers: [.host: "a"]).framing == .none)
        #expect(
            try RequestHead(target: "/", headers: [.host: "a", .contentLength: "007"]).framing == .sized(7))
        #expect(
            try RequestHead(target: "/", headers: [.host: "a", .transferEncoding: "Chunked"]).framing
                == .chunked)
    }

    @Test("A visible request ID is kept")
    func requestIDKept() throws {
        for id in ["a", "req-1/2~", String(repeating: "x", count: 128)] {
            #expect(try RequestHead(target: "/", headers: [.host: "a", .requestID: id]).requestID == id)
        }
    }

    @Test("Any other is replaced by one of its own")
    func requestIDMade() throws {
        var made: Set<String> = []
        for id in ["", "a b", "é", String(repeating: "x", count: 129)] {
            let head = try RequestHead(target: "/", headers: [.host: "a", .requestID: id])
            #expect(head.requestID != id)
            #expect(head.requestID.utf8.count == 32)
            made.insert(head.requestID)
        }
        #expect(made.count == 4)
    }

    @Test(
        "A trace context is passed on only in its own shape",
        arguments: [
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true),
            ("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-later", true),
            ("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra", false),
            ("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false),
            ("00-00000000000000000000000000000000-b7ad6b7169203331-01", false),
            ("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false),
            ("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false),
            ("00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01", false),
            ("nonsense", false),
        ])
    func traceparent(value: String, isValid: Bool) throws {
        let head = try RequestHead(target: "/", headers: [.host: "a", .traceparent: value])
        #expect(head.traceparent == (isValid ? value : nil))
    }
}
