import HTTPTypes
import Testing

@testable import HTTP

@Suite("What every answer carries")
struct CommonFieldsTests {
    static let expected: [HTTPField] = [
        HTTPField(name: .xContentTypeOptions, value: "nosniff"),
        HTTPField(name: .cacheControl, value: "no-store"),
        HTTPField(name: .contentSecurityPolicy, value: "default-src 'none'; frame-ancestors 'none'"),
        HTTPField(name: .xFrameOptions, value: "DENY"),
        HTTPField(name: .referrerPolicy, value: "no-referrer"),
        HTTPField(name: .crossOriginResourcePolicy, value: "same-origin"),
    ]

    @Test("is in an answer of a route's own making, once, where the route does not say otherwise")
    func ownFields() throws {
        let route = Route(.get, "/page") { _ in
            var response = Response(text: "page")
            response.headers[.contentSecurityPolicy] = "default-src 'self'"
            return .reply(response)
        }
        let service = try TestService(routes: [route])
        let reply = try service.client().request(.get, "/page")
        for field in Self.expected {
            let isOwn = field.name == .contentSecurityPolicy
            #expect(reply.headers[values: field.name] == [isOwn ? "default-src 'self'" : field.value])
        }
    }

    @Test("is in an answer in the middle of a body, and in one to a connection too many")
    func rawReplies() throws {
        let service = try TestService {
            $0.maxBodyBytes = 10
            $0.maxConnections = 1
        }
        let client = try service.client()
        // Answered, so accepted before the other.
        #expect(try client.request(.get, "/hello").status == 200)
        let crowded = try service.client().receiveReply()
        let tooLarge = try client.upload(.post, "/echo", chunks: [[UInt8](repeating: 1, count: 100)])
        #expect(crowded.status == 503 && tooLarge.status == 413)
        for reply in [crowded, tooLarge] {
            for field in Self.expected { #expect(reply.headers[values: field.name] == [field.value]) }
            #expect(reply.headers[.requestID] != nil && reply.headers[.server] == "test")
        }
    }

    @Test("is in the answer to a body that a drain no longer waits for, and to one that came too slowly")
    func cutOff() throws {
        let drained = try TestService { $0.drainGrace = .zero }
        let waiting = try drained.client()
        try waiting.send(waiting.head(.post, "/echo", [.contentLength: "10"]))
        drained.waitForInFlight(1)
        drained.server.drain()
        let slow = try TestService { $0.bodyDeadline = .milliseconds(1) }
        let sending = try slow.client()
        try sending.send(sending.head(.post, "/echo", [.contentLength: "10"]))
        let replies = [try waiting.receiveReply(), try sending.receiveReply()]
        #expect(replies.map(\.status) == [503, 408])
        for reply in replies {
            for field in Self.expected { #expect(reply.headers[values: field.name] == [field.value]) }
            #expect(reply.headers[.requestID] != nil && reply.headers[.server] == "test")
        }
    }
}
