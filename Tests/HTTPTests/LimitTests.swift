import HTTPTypes
import Testing

@testable import HTTP

@Suite("Limits", .serialized)
struct LimitTests {
    @Test("A declared body a little too long is refused and the connection kept")
    func declaredTooLong() throws {
        let service = try TestService { $0.maxBodyBytes = 1000 }
        let client = try service.client()
        let reply = try client.request(.post, "/echo", body: Array(repeating: 7, count: 1001))
        #expect(reply.status == 413)
        #expect(reply.text == "bodyTooLarge(limit: 1000, declared: Optional(1001), received: 0)")
        #expect(try client.request(.post, "/echo", body: Array(repeating: 7, count: 1000)).status == 200)
        #expect(service.server.load.connections == 1)
    }

    @Test("A client that sends far too much reads the refusal all the same")
    func farTooLong() throws {
        let service = try TestService {
            $0.maxBodyBytes = 1000
            $0.discardBytes = 100_000
        }
        let client = try service.client()
        let reply = try client.request(.post, "/echo", body: Array(repeating: 7, count: 5_000_000))
        #expect(reply.status == 413)
        #expect(reply.headers[.connection] == "close")
        #expect(reply.headers[.date]?.hasSuffix(" GMT") == true)
        let exchange = try #require(service.recorder.finished(1)?.first)
        #expect(exchange.status == .contentTooLarge)
        #expect(exchange.bytesIn < 5_000_000)
    }

    @Test("A chunked body is refused as soon as it is too long")
    func chunkedTooLong() throws {
        let service = try TestService { $0.maxBodyBytes = 1000 }
        let client = try service.client()
        try client.send(client.head(.post, "/echo", [.transferEncoding: "chunked"]))
        try client.send("3e8\r\n" + String(repeating: "x", count: 1000) + "\r\n")
        try client.send("1\r\nx\r\n")
        let reply = try client.receiveReply()
        #expect(reply.status == 413)
        #expect(reply.text == "bodyTooLarge(limit: 1000, declared: nil, received: 1001)")
        #expect(try client.receiveUntilClosed().isEmpty)
    }

    @Test("A client that asks first need not send what is too long")
    func refusedBeforeBody() throws {
        let service = try TestService { $0.maxBodyBytes = 1000 }
        let client = try service.client()
        try client.send(client.head(.post, "/echo", [.contentLength: "1000000000", .expect: "100-continue"]))
        let reply = try client.receiveReply()
        #expect(reply.status == 413)
        #expect(try client.receiveUntilClosed().isEmpty)
    }

    @Test("An expectation nobody can meet is refused")
    func unknownExpectation() throws {
        let service = try TestService()
        let client = try service.client()
        try client.send(client.head(.post, "/echo", [.contentLength: "5", .expect: "tea"]))
        let reply = try client.receiveReply()
        #expect(reply.status == 417)
        #expect(reply.text == "expectationFailed(\"tea\")")
    }

    @Test("A sink may answer in mid-body", arguments: [true, false])
    func earlyAnswer(isChunked: Bool) throws {
        let route = Route(.post, "/stop") { _ in .sink(StoppingSink(after: 10)) }
        let service = try TestService(routes: [route])
        let client = try service.client()
        let reply =
            isChunked
            ? try client.upload(.post, "/stop", chunks: [[UInt8](repeating: 1, count: 8), [1, 2, 3]])
            : try client.request(.post, "/stop", body: Array(repeating: 1, count: 11))
        #expect(reply.status == 422)
        #expect(reply.text == "stopped at 11")
        let fresh = try service.client()
        #expect(try fresh.request(.post, "/stop", body: [1, 2, 3]).text == "3")
    }

    @Test("Bodies that are declared and never sent leave the budget to those that come")
    func idleClaims() throws {
        let service = try TestService {
            $0.memoryBudgetBytes = 64 << 20
            $0.maxBodyBytes = 64 << 20
        }
        let idle = try (0..<8).map { _ in try service.client() }
        for client in idle {
            try client.send(client.head(.post, "/echo", [.contentLength: "\(60 << 20)"]))
            try client.send([1])
        }
        let body = [UInt8](repeating: 1, count: 20 << 20)
        #expect(try service.client().request(.post, "/echo", body: body).status == 200)
    }

    @Test("Bodies share one budget and give back what they took")
    func memoryBudget() throws {
        let service = try TestService { $0.memoryBudgetBytes = 10_000 }
        let holder = try service.client()
        try holder.send(holder.head(.post, "/gated", [.contentLength: "8000"]))
        try holder.send(Array(repeating: 1, count: 8000))
        service.gate.waitForArrivals(1)
        #expect(service.server.load.memoryBytes == 8000)

        let client = try service.client()
        let busy = try client.request(.post, "/echo", body: Array(repeating: 1, count: 3000))
        #expect(busy.status == 503)
        #expect(busy.headers[.retryAfter] == "1")
        #expect(busy.text.hasPrefix("memoryInUse(needed: 3000, free: 2000, budget: 10000"))
        #expect(try client.request(.post, "/echo", body: Array(repeating: 1, count: 2000)).status == 200)
        let never = try client.request(.post, "/echo", body: Array(repeating: 1, count: 10_001))
        #expect(never.status == 507)
        #expect(never.text == "memoryInsufficient(needed: 10001, budget: 10000)")

        service.gate.open()
        #expect(try holder.receiveReply().text == "passed")
        #expect(try client.request(.post, "/echo", body: Array(repeating: 1, count: 10_000)).status == 200)
        service.waitForMemory(0)
    }

    @Test("A sink claims what it holds, as it grows, and no more")
    func heldMemory() throws {
        let holding = Route(.post, "/hold") { _ in .sink(HoldingSink()) }
        let service = try TestService(routes: [holding]) { $0.memoryBudgetBytes = 4 << 20 }
        let client = try service.client()
        // A body of 20 MiB of which a tenth is held; the sink takes more than the route would.
        let reply = try client.request(.post, "/hold", body: [UInt8](repeating: 1, count: 20 << 20))
        #expect(reply.status == 200)
        #expect(reply.text == "\(2 << 20)")
        let more = try service.client().request(.post, "/hold", body: [UInt8](repeating: 1, count: 60 << 20))
        #expect(more.status == 507)
        _ = service.recorder.finished(2)
        service.waitForMemory(0)
        let tooLong = try service.client().request(.post, "/hold", headers: [.contentLength: "\(101 << 20)"])
        #expect(tooLong.text.hasPrefix("bodyTooLarge(limit: \(100 << 20)"))
    }

    @Test("A chunked body claims memory as it grows")
    func chunkedMemory() throws {
        let service = try TestService {
            $0.memoryBudgetBytes = 3 << 20
            $0.maxBodyBytes = 100 << 20
        }
        let chunk = [UInt8](repeating: 1, count: 1 << 20)
        #expect(try service.client().upload(.post, "/echo", chunks: [chunk]).status == 200)
        // Beside the first, the second would only have to wait.
        service.waitForMemory(0)
        let reply = try service.client().upload(.post, "/echo", chunks: Array(repeating: chunk, count: 4))
        #expect(reply.status == 507)
        _ = service.recorder.finished(2)
        service.waitForMemory(0)
    }

    @Test("A short chunked body needs no more memory than its bytes")
    func chunkedMemoryOfShortBody() throws {
        let service = try TestService { $0.memoryBudgetBytes = 1000 }
        #expect(try service.client().upload(.post, "/echo", chunks: [[1, 2], [3]]).body == [1, 2, 3])
        let long = [UInt8](repeating: 1, count: 1001)
        #expect(try service.client().upload(.post, "/echo", chunks: [long]).status == 507)
        _ = service.recorder.finished(2)
        service.waitForMemory(0)
    }

    @Test("A sink that computes as bytes arrive takes no more than it says")
    func streamingMemory() throws {
        let route = Route(.post, "/count", maxBodyBytes: 100 << 20) { _ in .sink(StoppingSink(after: .max)) }
        let service = try TestService(routes: [route]) { $0.memoryBudgetBytes = 1000 }
        let reply = try service.client().request(.post, "/count", body: Array(repeating: 1, count: 3_000_000))
        #expect(reply.text == "3000000")
    }

    @Test("Header fields beyond the limit are refused with the sizes")
    func headersTooLarge() throws {
        let service = try TestService { $0.maxHeaderBytes = 1000 }
        let client = try service.client()
        let reply = try client.request(
            .get, "/hello", headers: [.userAgent: String(repeating: "x", count: 1000)])
        #expect(reply.status == 431)
        #expect(reply.text.hasPrefix("headersTooLarge(limit: 1000, size: 1"))
    }

    @Test("Heads beyond the connection's memory are refused, too")
    func headBeyondMemory() throws {
        let service = try TestService()
        let fields = try service.client()
        #expect(try fields.request(.get, "/hello", headers: [.userAgent: large]).status == 431)
        let target = try service.client()
        #expect(try target.request(.get, "/hello?" + large).status == 414)
        #expect(try service.client().request(.get, "/hello").text == "hello")
    }

    private let large = String(repeating: "x", count: 300_000)

    @Test("A huge target is refused with the sizes")
    func targetTooLong() throws {
        let service = try TestService { $0.maxTargetBytes = 1000 }
        let reply = try service.client().request(.get, "/" + String(repeating: "a", count: 1000))
        #expect(reply.status == 414)
        #expect(reply.text == "targetTooLong(limit: 1000, length: 1001)")
    }

    @Test("Connections beyond the limit get an answer")
    func tooManyConnections() throws {
        let service = try TestService { $0.maxConnections = 2 }
        let kept = try (0..<2).map { _ in try service.client() }
        for client in kept { #expect(try client.request(.get, "/hello").text == "hello") }
        // Optimised, they would be closed after their last use.
        try withExtendedLifetime(kept) {
            let reply = try service.client().receiveReply()
            #expect(reply.status == 503)
            #expect(reply.headers[.retryAfter] == "1")
        }
    }
}

/// Holds a tenth of what it gets.
private final class HoldingSink: BodySink {
    private var received = 0

    var memory: MemoryClaim { .held(received / 10) }
    var maxBodyBytes: Int? { 100 << 20 }

    func receive(_ bytes: RawSpan) -> Response? {
        received += bytes.byteCount
        return nil
    }

    func finish(_ scope: RequestScope) -> Outcome { .reply(Response(text: "\(received / 10)")) }
}
