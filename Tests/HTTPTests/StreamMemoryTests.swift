import Glibc
import HTTPTypes
import Locking
import Testing

@testable import HTTP

/// What a reply holds of the memory budget while it is sent.
@Suite("Memory of streamed replies")
struct StreamMemoryTests {
    typealias Pieces = StreamedReplyTests.Pieces

    /// Claims what one piece takes, as work that makes a stream must.
    private func route(_ path: String, _ pieces: Pieces) -> Route {
        Route(.post, path) { head in
            .sink(
                BufferedBody(for: head) { _, scope in
                    .longWork {
                        let needed = pieces.keptBytes + (pieces.sizes.indices.map(pieces.claim).max() ?? 0)
                        if let refusal = scope.claim(needed) {
                            return Response(refusal.status, text: "\(refusal)")
                        }
                        var response = Response(text: "first ")
                        response.rest = pieces
                        return response
                    }
                })
        }
    }

    private func begin(_ client: LoopbackClient, _ path: String) throws {
        try client.send(client.head(.post, path, [.contentLength: "1"]) + [1])
    }

    /// Waits until buffers are full: for a while nothing is made, and nothing but what is made is held. Between two pieces
    /// little is held, too, but only for a moment.
    private func waitUntilIdle(_ service: TestService, _ pieces: Pieces) throws {
        let deadline = Moment.now + .seconds(30)
        var (made, quietSince) = (-1, Moment.now)
        while .now < deadline {
            let now = pieces.made.withLock { $0 }
            if now != made || service.server.load.memoryBytes > 8 << 20 {
                (made, quietSince) = (now, .now)
            } else if .now > quietSince + .milliseconds(200) {
                return
            }
            usleep(1000)
        }
        Issue.record("the stream does not become idle")
    }

    @Test("One piece is served however many threads there are", arguments: [1, 8])
    func anyThreads(_ threads: Int) throws {
        let budget = 64 << 20
        let pieces = Pieces([8 << 20], working: 48 << 20)
        let service = try TestService(routes: [route("/stream", pieces)]) {
            $0.memoryBudgetBytes = budget
            $0.workerThreads = threads
        }
        let reply = try service.client().request(.post, "/stream", body: [1])
        #expect(reply.status == 200)
        #expect(reply.body.count == 6 + 8 << 20)
        service.waitForMemory(0)
    }

    @Test("Pieces that only fit one after the other are all sent")
    func oneAfterAnother() throws {
        let pieces = Pieces(Array(repeating: 4 << 20, count: 8), working: 40 << 20)
        let service = try TestService(routes: [route("/stream", pieces)]) {
            $0.memoryBudgetBytes = 50 << 20
            $0.workerThreads = 8
        }
        let reply = try service.client().request(.post, "/stream", body: [1])
        #expect(reply.body == Array("first ".utf8) + pieces.whole)
        service.waitForMemory(0)
    }

    @Test("A client that does not read holds what is made, and nothing of what may be made")
    func unreadHoldsWhatIsMade() throws {
        let pieces = Pieces(Array(repeating: 1 << 20, count: 200), working: 15 << 20, kept: 10 << 20)
        let service = try TestService(routes: [route("/stream", pieces)]) { $0.memoryBudgetBytes = 1 << 30 }
        let client = try service.client()
        try begin(client, "/stream")
        _ = try client.receiveSome()
        // Two threads: at most five pieces wait, one is being sent; what was kept for more can be had again.
        let deadline = Moment.now + .seconds(10)
        while service.server.load.memoryBytes > 6 << 20 + 4096, .now < deadline { usleep(1000) }
        #expect(service.server.load.memoryBytes <= 6 << 20 + 4096)
        #expect(try client.receiveReply(to: .post).body.count == 6 + 200 << 20)
        service.waitForMemory(0)
    }

    @Test("Two replies that do not fit at once wait for each other, and newcomers do not pass them")
    func waiting() throws {
        let gate = Gate()
        let held = Pieces([1 << 20, 1 << 20], gate: gate, working: 40 << 20)
        let waits = Pieces(Array(repeating: 1 << 20, count: 4), working: 20 << 20)
        let service = try TestService(routes: [route("/held", held), route("/waits", waits)]) {
            $0.memoryBudgetBytes = 64 << 20
        }
        // Its first piece is claimed with it, and made.
        let other = try service.client()
        try begin(other, "/waits")
        waits.made.wait { $0 >= 1 ? () : nil }
        // Nothing of it is claimed for ever: a second one that needs nearly all fits as soon as the first is idle.
        try waitUntilIdle(service, waits)
        let first = try service.client()
        try begin(first, "/held")
        gate.waitForArrivals(1)
        #expect(service.server.load.memoryBytes > 40 << 20)
        gate.open()
        #expect(try first.receiveReply(to: .post).body.count == 6 + 2 << 20)
        #expect(try other.receiveReply(to: .post).body == Array("first ".utf8) + waits.whole)
        service.waitForMemory(0)
    }

    /// Its client has read all there was, and others hold what its next piece needs.
    @Test("A stream that has waited too long for memory is ended, and its client sees no whole reply")
    func givesUp() throws {
        let gate = Gate()
        let held = Pieces([1 << 20], gate: gate, working: 50 << 20)
        let waits = Pieces(Array(repeating: 1 << 20, count: 40), working: 20 << 20)
        let service = try TestService(routes: [route("/held", held), route("/waits", waits)]) {
            $0.memoryBudgetBytes = 64 << 20
            $0.bodyDeadline = .seconds(2)
        }
        defer { gate.open() }
        let waiting = try service.client()
        try begin(waiting, "/waits")
        _ = try waiting.receiveSome()
        // Full buffers: nothing is made, and nothing but what is made is held.
        try waitUntilIdle(service, waits)
        let other = try service.client()
        try begin(other, "/held")
        gate.waitForArrivals(1)
        let made = waits.made.withLock { $0 }
        #expect(throws: ClientError.self) { try waiting.receiveReply(to: .post) }
        let exchange = try #require(service.recorder.finished(1)?.first)
        #expect(exchange.ending == .crowdedOut)
        #expect(waits.made.withLock { $0 } == made)
        gate.open()
        #expect(try other.receiveReply(to: .post).body.count == 6 + 1 << 20)
        service.waitForMemory(0)
    }

    @Test("A large reply's memory is given back as it is sent")
    func largeReply() throws {
        let size = 8 << 20
        let large = Route(.post, "/large") { head in
            .sink(
                BufferedBody(for: head) { _, _ in
                    .work {
                        Response(body: (0..<8).map { [UInt8](repeating: UInt8($0), count: size) })
                    }
                })
        }
        let service = try TestService(routes: [large])
        let client = try service.client()
        try begin(client, "/large")
        let begun = try client.receiveSome()
        #expect(begun > 0)
        let whole = service.server.load.memoryBytes
        #expect(whole <= 8 * size)
        // Five of the eight.
        _ = try client.receiveSome(atLeast: 5 * size)
        let deadline = Moment.now + .seconds(10)
        while service.server.load.memoryBytes > 4 * size, .now < deadline { usleep(1000) }
        #expect(service.server.load.memoryBytes <= 4 * size)
        let reply = try client.receiveReply(to: .post)
        #expect(reply.headers[.contentLength] == "\(8 * size)")
        #expect(reply.headers[.transferEncoding] == nil)
        #expect(reply.body == (0..<8).flatMap { [UInt8](repeating: UInt8($0), count: size) })
        let exchange = try #require(service.recorder.finished(1)?.first)
        #expect(exchange.bytesOut == 8 * size)
        #expect(exchange.ending == .completed)
        // The connection stays, and a HEAD-like small reply follows it.
        #expect(try client.request(.get, "/hello").text == "hello")
        service.waitForMemory(0)
    }
}

@Suite("A budget that somebody waits for")
struct BudgetWaitTests {
    private let told = Monitor([String]())

    private func note(_ name: String) -> @Sendable (Bool) -> Void {
        { [told] granted in told.withLock { $0.append("\(name) \(granted)") } }
    }

    @Test("Memory goes to those who wait in the order they came, and to newcomers only what is little")
    func inTurn() {
        let budget = MemoryBudget(total: 6400, retryAfter: .seconds(1))
        #expect(budget.claim(6000, holding: 0) == nil)
        _ = budget.wait(for: 1000, note("a"))
        _ = budget.wait(for: 100, note("b"))
        #expect(told.withLock { $0 } == [])
        // There are 400, but the first waits for 1000.
        #expect(budget.claim(101, holding: 0) != nil)
        #expect(budget.claim(100, holding: 0) == nil)
        budget.release(3000)
        #expect(told.withLock { $0 } == ["a true", "b true"])
        #expect(budget.claimed == 6000 + 100 - 3000 + 1100)
    }

    @Test("Who waits where there is room waits for nothing")
    func atOnce() {
        let budget = MemoryBudget(total: 1000, retryAfter: .seconds(1))
        _ = budget.wait(for: 1000, note("a"))
        #expect(told.withLock { $0 } == ["a true"])
        #expect(budget.claimed == 1000)
    }

    @Test("Who stops waiting, or has waited too long, is passed")
    func passed() {
        let budget = MemoryBudget(total: 1000, retryAfter: .seconds(1))
        #expect(budget.claim(900, holding: 0) == nil)
        let first = budget.wait(for: 500, note("a"))
        _ = budget.wait(for: 300, note("b"))
        _ = budget.wait(for: 100, note("c"))
        budget.stopWaiting(first)
        #expect(told.withLock { $0 } == [])
        budget.refuse(waitingSince: .now + .seconds(1))
        #expect(told.withLock { $0 } == ["b false", "c false"])
        #expect(budget.claimed == 900)
    }
}
