import HTTPTypes
import Synchronization
import Testing

@testable import HTTP

/// A deadline before which something must have begun leaves a busy machine the time for that.
@Suite("Deadlines of requests")
struct DeadlineTests {
    /// Work that goes on until the result is no longer wanted.
    private static func endless(_ ended: Gate) -> Route {
        Route(.post, "/endless") { head in
            .sink(
                BufferedBody(for: head) { _, scope in
                    .longWork {
                        while scope.isWanted {}
                        ended.open()
                        ended.pass()
                        return Response(text: "too late")
                    }
                })
        }
    }

    @Test("Work that takes longer than the client waits is answered with 504, and told")
    func clientDeadline() throws {
        let ended = Gate()
        let service = try TestService(routes: [Self.endless(ended)])
        let client = try service.client()
        let reply = try client.request(.post, "/endless", headers: [.requestTimeout: "0.75"], body: [1])
        #expect(reply.status == 504)
        #expect(reply.text == "deadlineExceeded(limit: 0.75 seconds)")
        ended.waitForArrivals(1)
        // The connection is as good as new.
        #expect(try client.request(.get, "/hello").text == "hello")
        #expect(service.recorder.finished(1)?.first?.status == .gatewayTimeout)
        service.waitForMemory(0)
    }

    @Test("The server's own limit holds whatever the client allows")
    func serverDeadline() throws {
        let service = try TestService(routes: [Self.endless(Gate())]) {
            $0.requestTimeout = .milliseconds(40)
        }
        let reply = try service.client().request(
            .post, "/endless", headers: [.requestTimeout: "100"], body: [1])
        #expect(reply.text == "deadlineExceeded(limit: 0.04 seconds)")
    }

    @Test("A request that waits for a worker is answered, and never begun")
    func inQueue() throws {
        let service = try TestService { $0.workerThreads = 1 }
        let first = try service.client()
        try first.begin(.post, "/gated")
        service.gate.waitForArrivals(1)
        let reply = try service.client().request(
            .post, "/gated", headers: [.requestTimeout: "0.05"], body: [])
        #expect(reply.status == 504)
        service.gate.open()
        #expect(try first.receiveReply().text == "passed")
        service.server.drain()
        #expect(service.gate.arrived == 1)
    }

    @Test("A deadline that passes while the endpoint looks at the request holds for the work it begins")
    func beforeWork() throws {
        let looks = Gate()
        let ended = Gate()
        let route = Route(.post, "/late") { head in
            .sink(
                BufferedBody(for: head) { _, scope in
                    looks.pass()
                    return .longWork {
                        while scope.isWanted {}
                        ended.pass()
                        return Response(text: "too late")
                    }
                })
        }
        let service = try TestService(routes: [route])
        let client = try service.client()
        try client.send(
            client.head(.post, "/late", [.contentLength: "1", .requestTimeout: "60"]) + [1])
        looks.waitForArrivals(1)
        let connection = try #require(service.server.core.openConnections.first)
        let limits = TimeLimits(service.server.core.configuration)
        let reap = {
            connection.reap(now: .now + .seconds(61), limits: limits) { renderPlainly($0, $1) }
        }
        reap()
        looks.open()
        service.waitForRunning(1)
        reap()
        #expect(try client.receiveReply().text == "deadlineExceeded(limit: 60.0 seconds)")
        ended.open()
    }

    @Test("A body that is still arriving is answered, too")
    func inBody() throws {
        let service = try TestService()
        let client = try service.client()
        try client.send(
            "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nX-Request-Timeout: 0.05\r\n\r\n12345")
        let reply = try client.receiveReply()
        #expect(reply.status == 504)
        #expect(reply.headers[.connection] == "close")
        #expect(service.recorder.finished(1)?.first?.ending == .timeout)
    }

    @Test("Work that was answered in its place has no part in the next request on the connection")
    func lateWork() throws {
        let begun = Gate()
        let isWanted = Atomic(true)
        let late = Route(.post, "/late") { head in
            .sink(
                BufferedBody(for: head) { _, scope in
                    .longWork {
                        begun.pass()
                        isWanted.store(scope.isWanted, ordering: .relaxed)
                        return Response(text: "too late")
                    }
                })
        }
        let after = Route(.post, "/after") { head in
            .sink(BufferedBody(for: head) { _, _ in .longWork { Response(text: "after") } })
        }
        let service = try TestService(routes: [late, after]) { $0.workerThreads = 1 }
        let client = try service.client()
        let first = try client.request(.post, "/late", headers: [.requestTimeout: "0.75"], body: [])
        #expect(first.status == 504)
        try client.begin(.post, "/gated")
        service.gate.waitForArrivals(1)
        begun.open()
        // By the same thread: the late work has delivered by then.
        #expect(try service.client().request(.post, "/after", body: []).text == "after")
        let wasWanted = isWanted.load(ordering: .relaxed)
        #expect(!wasWanted)
        service.gate.open()
        #expect(try client.receiveReply().text == "passed")
    }

    @Test("One deadline does not reach into the next request on the connection")
    func nextRequest() throws {
        let service = try TestService()
        let client = try service.client()
        #expect(try client.request(.get, "/hello", headers: [.requestTimeout: "0.75"]).text == "hello")
        try client.begin(.post, "/gated")
        service.gate.waitForArrivals(1)
        // The reaper comes by several times, after the first deadline too.
        let other = try service.client().request(
            .post, "/gated", headers: [.requestTimeout: "1"], body: [])
        #expect(other.status == 504)
        service.gate.open()
        #expect(try client.receiveReply().text == "passed")
    }

    @Test(
        "What is no time is refused",
        arguments: [
            "", "0", "0.0", "-1", "+1", "1e3", "1,5", "1 s", "30s", "1.", ".5", "1.2.3", "inf", "nan", "0x10",
            "1234567890",
            "1.1234567890",
        ])
    func invalid(text: String) throws {
        let headers: HTTPFields = [try #require(.init("Host")): "x", .requestTimeout: text]
        #expect(throws: MalformedRequest.timeoutInvalid(text)) {
            try RequestHead(target: "/", headers: headers)
        }
    }

    @Test(
        "Seconds with and without a fraction",
        arguments: [
            ("1", Duration.seconds(1)), ("0030", .seconds(30)), ("2.5", .milliseconds(2500)),
            ("0.000001", .microseconds(1)), ("999999999", .seconds(999_999_999)),
        ])
    func valid(text: String, expected: Duration) throws {
        let headers: HTTPFields = [try #require(.init("Host")): "x", .requestTimeout: text]
        #expect(try RequestHead(target: "/", headers: headers).timeout == expected)
    }
}
