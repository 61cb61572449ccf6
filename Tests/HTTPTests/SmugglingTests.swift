import HTTPTypes
import Testing

@testable import HTTP

/// A head sent byte for byte, and the reason for which it must be refused.
struct Attack: Sendable, CustomTestStringConvertible {
    let head: String
    let body: String
    let flaw: MalformedRequest

    init(_ flaw: MalformedRequest, _ lines: String..., body: String = "") {
        head = lines.joined(separator: "\r\n") + "\r\n\r\n"
        self.body = body
        self.flaw = flaw
    }

    var testDescription: String { head.debugDescription }
}

@Suite("Request smuggling and malformed heads over raw sockets", .serialized)
struct SmugglingTests {
    /// What a proxy might take for the second half of the first request.
    private static let hidden = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
    private static let post = "POST /echo HTTP/1.1\r\nHost: a"
    private static let end = "0\r\n\r\n"

    private static let framing = [
        Attack(
            .contentLengthWithTransferEncoding, post, "Content-Length: 4", "Transfer-Encoding: chunked",
            body: end),
        Attack(
            .contentLengthWithTransferEncoding, post, "Transfer-Encoding: chunked", "Content-Length: 4",
            body: end),
        Attack(
            .contentLengthRepeated(count: 2), post, "Content-Length: 4", "Content-Length: 4", body: "abcd"),
        Attack(
            .contentLengthRepeated(count: 2), post, "Content-Length: 4", "content-length: 39", body: "abcd"),
        Attack(.fieldNameInvalid("Content-Length "), post, "Content-Length : 4", body: "abcd"),
        Attack(.fieldNameInvalid("Content-Length\t"), post, "Content-Length\t: 4", body: "abcd"),
        Attack(
            .transferEncodingUnsupported("gzip, chunked"), post, "Transfer-Encoding: gzip, chunked", body: end
        ),
        Attack(.transferEncodingUnsupported("identity"), post, "Transfer-Encoding: identity"),
        Attack(.transferEncodingUnsupported("xchunked"), post, "Transfer-Encoding: xchunked", body: end),
        Attack(
            .transferEncodingUnsupported("chunked, chunked"), post, "Transfer-Encoding: chunked, chunked",
            body: end),
        Attack(
            .transferEncodingUnsupported("chunked, chunked"), post, "Transfer-Encoding: chunked",
            "Transfer-Encoding: chunked", body: end),
        Attack(.fieldNameInvalid("Transfer-Encoding "), post, "Transfer-Encoding : chunked", body: end),
        Attack(
            .fieldValueInvalid(name: "Transfer-Encoding"), post, "Transfer-Encoding: \u{B}chunked", body: end),
        Attack(
            .fieldValueInvalid(name: "Transfer-Encoding"), post, "Transfer-Encoding: chunked\0", body: end),
        Attack(
            .transferEncodingUnsupported("chunked"), "POST /echo HTTP/1.0", "Transfer-Encoding: chunked",
            body: end),
    ]

    private static let heads = [
        Attack(.hostRepeated(count: 2), "GET /hello HTTP/1.1", "Host: a", "Host: b"),
        Attack(.hostInvalid("a, b"), "GET /hello HTTP/1.1", "Host: a, b"),
        Attack(.hostMissing, "GET /hello HTTP/1.1"),
        Attack(.controlByte(0, position: 3), "GET /he%00llo HTTP/1.1", "Host: a"),
        Attack(.controlByte(0x0D, position: 6), "GET /hello%0d%0aX:y HTTP/1.1", "Host: a"),
        Attack(.controlByte(0, position: 6), "GET /hello\0 HTTP/1.1", "Host: a"),
        Attack(.controlByte(0, position: 6), "GET /hello\0/x HTTP/1.1", "Host: a"),
        Attack(.controlByte(0, position: 8), "GET /hello?x\0y HTTP/1.1", "Host: a"),
        Attack(.controlByte(1, position: 4), "GET /hel\u{1}lo HTTP/1.1", "Host: a"),
        Attack(.controlByte(0x20, position: 6), "GET /hello x HTTP/1.1", "Host: a"),
        Attack(.percentEncodingInvalid(position: 1), "GET /%zz HTTP/1.1", "Host: a"),
        Attack(.targetInvalid("hello"), "GET hello HTTP/1.1", "Host: a"),
        Attack(.methodInvalid("G@T"), "G@T /hello HTTP/1.1", "Host: a"),
        Attack(.fieldNameInvalid("Bad Name"), "GET /hello HTTP/1.1", "Host: a", "Bad Name: x"),
        Attack(.fieldValueInvalid(name: "X"), "GET /hello HTTP/1.1", "Host: a", "X: a\0b"),
        Attack(.fieldValueInvalid(name: "X"), "GET /hello HTTP/1.1", "Host: a", "X: a\0\0\0b", "Y: c"),
        // The library takes this line for the end of the head.
        Attack(.fieldValueInvalid(name: "Host"), "GET /hello HTTP/1.1", "Host: a", ": b", "X: c"),
        Attack(.versionUnsupported("HTTP/1.2"), "GET /hello HTTP/1.2", "Host: a"),
    ]

    @Test(
        "Each is refused with its reason, the connection closed, and nothing hidden behind it answered",
        arguments: framing + heads)
    func refused(attack: Attack) throws {
        let service = try TestService()
        do {
            let client = try service.client()
            try client.send(attack.head + attack.body + Self.hidden)
            let reply = try client.receiveReply()
            #expect(reply.status == 400)
            #expect(reply.text == "malformed(\(String(reflecting: attack.flaw)))")
            #expect(try client.receiveUntilClosed().isEmpty)
        }
        #expect(try service.client().request(.get, "/hello").text == "hello")
        let exchanges = try #require(service.recorder.finished(2))
        #expect(Set(exchanges.map(\.status)) == [.badRequest, .ok])
    }

    /// libmicrohttpd refuses these by itself; after a bad Content-Length it sends its answer's head twice.
    @Test(
        "What the library refuses never reaches an endpoint",
        arguments: [
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4, 4\r\n\r\nabcd",
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\nabcd",
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0x4\r\n\r\nabcd",
            "GET /hello HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
        ].map(Raw.init))
    func refusedByLibrary(raw: Raw) throws {
        let service = try TestService()
        let client = try service.client()
        try client.send(raw.wire + Self.hidden)
        let answer = String(decoding: try client.receiveUntilClosed(), as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 400 "))
        #expect(!answer.contains(" 200 "))
    }

    @Test(
        "What is not HTTP/1 is never served",
        arguments: [
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /hello HTTP/2.0\r\nHost: a\r\n\r\n",
            "GET /hello\r\n\r\n",
            "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\r\n\r\n",
            "GET\r\n\r\n", "\r\n\r\n\r\nnonsense\r\n\r\n",
        ].map(Raw.init))
    func otherProtocols(raw: Raw) throws {
        let service = try TestService()
        let client = try service.client()
        try client.send(raw.wire)
        client.finishSending()
        let answer = String(decoding: try client.receiveUntilClosed(), as: UTF8.self)
        #expect(!answer.contains(" 200 "))
        #expect(try service.client().request(.get, "/hello").text == "hello")
    }

    @Test(
        "Broken chunks end the request without an answer from the endpoint",
        arguments: [
            "zz\r\nabc\r\n", "-1\r\nabc\r\n", "5\r\nabcdefgh\r\n", "ffffffffffffffffff\r\na", "\r\n\r\n",
        ]
        .map(Raw.init))
    func brokenChunks(raw: Raw) throws {
        let service = try TestService()
        let client = try service.client()
        try client.send(client.head(.post, "/echo", [.transferEncoding: "chunked"]))
        try client.send(raw.wire)
        client.finishSending()
        let answer = String(decoding: try client.receiveUntilClosed(), as: UTF8.self)
        #expect(!answer.contains(" 200 "))
        let exchange = try #require(service.recorder.finished(1)?.first)
        #expect(exchange.head != nil)
        #expect(exchange.status != .ok)
        #expect(service.server.load.inFlight == 0)
    }

    @Test(
        "Blanks after a value are no part of it",
        arguments: ["X-Request-ID: seven \r\n", "X-Request-ID:\tseven\t \r\n"])
    func trailingBlanks(field: String) throws {
        let service = try TestService()
        let client = try service.client()
        try client.send(Array("GET /hello HTTP/1.1\r\nHost: a \r\n\(field)\r\n".utf8))
        let reply = try client.receiveReply()
        #expect(reply.status == 200)
        #expect(reply.headers[.requestID] == "seven")
    }

    @Test(
        "Fields that decide where the body ends are taken without blanks or not at all",
        arguments: ["Transfer-Encoding: chunked ", "Transfer-Encoding: chunked\t"])
    func blanksAfterFraming(field: String) throws {
        let service = try TestService()
        let client = try service.client()
        try client.send(Array("POST /echo HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n0\r\n\r\n".utf8))
        client.finishSending()
        let answer = String(decoding: try client.receiveUntilClosed(), as: UTF8.self)
        #expect(!answer.contains(" 200 "))
    }

    /// The library ends a trailer at such a line, and a proxy before it may not.
    @Test(
        "What follows a chunked body is no request, whatever its trailer looks like",
        arguments: [
            "0\r\n\0\r\n", "0\r\n\0x: y\r\n", "0\r\nA: b\r\n\0\r\n", "0\r\nA: b\r\n\0x\r\n", "0\r\n\0\n",
            "0\r\n\n", "0\r\nA: b\r\n\r\n", "0\r\n\r\n",
        ].map(Raw.init), [true, false])
    func trailers(raw: Raw, isPipelined: Bool) throws {
        let service = try TestService()
        let client = try service.client()
        try client.send(client.head(.post, "/echo", [.transferEncoding: "chunked"]))
        try client.send("3\r\nabc\r\n" + raw.wire + (isPipelined ? Self.hidden : ""))
        let reply = try client.receiveReply()
        #expect(reply.text == "abc" && reply.headers[.connection]?.lowercased() == "close")
        if !isPipelined { try? client.send(Self.hidden) }
        #expect(((try? client.receiveUntilClosed()) ?? []).isEmpty)
        service.waitForNoConnections()
        #expect(service.recorder.count == 1)
    }

    @Test("The reason is told to the renderer together with what is known of the head")
    func reason() throws {
        let service = try TestService()
        let client = try service.client()
        try client.send("GET /%zz HTTP/1.1\r\nHost: a\r\nX-Request-ID: mine\r\n\r\n")
        let reply = try client.receiveReply()
        #expect(reply.text.contains("percentEncodingInvalid(position: 1)"))
        #expect(reply.headers[.requestID] == "mine")
    }
}

/// Bytes on the wire, shown escaped.
struct Raw: Sendable, CustomTestStringConvertible {
    let wire: String
    var testDescription: String { wire.debugDescription }
}
