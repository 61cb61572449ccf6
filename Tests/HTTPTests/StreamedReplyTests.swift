import HTTPTypes
import Locking
import Testing

@testable import HTTP

@Suite("Streamed replies")
struct StreamedReplyTests {
    /// Pieces of given sizes whose bytes tell their place; counts how many were made.
    final class Pieces: BodySource {
        let sizes: [Int]
        let failing: Int?
        let made = Monitor(0)
        let gate: Gate?
        /// What a piece takes while it is made, beside itself.
        let working: Int
        /// What is kept until it is let go of.
        private let kept: Monitor<Int>
        let expected = Duration.zero

        init(_ sizes: [Int], failing: Int? = nil, gate: Gate? = nil, working: Int = 0, kept: Int = 0) {
            (self.sizes, self.failing, self.gate) = (sizes, failing, gate)
            self.working = working
            self.kept = Monitor(kept)
        }

        var keptBytes: Int { kept.withLock { $0 } }
        func letGo() { kept.withLock { $0 = 0 } }
        func claim(of index: Int) -> Int { sizes[index] + working }
        func begin(_ index: Int) -> Int { claim(of: index) }

        var pieceCount: Int { sizes.count }

        func piece(_ index: Int) -> [[UInt8]]? {
            gate?.pass()
            made.withLock(waking: .everybody) { $0 += 1 }
            return index == failing ? nil : Self.piece(index, sizes[index])
        }

        static func piece(_ index: Int, _ size: Int) -> [[UInt8]] {
            let value = UInt8(truncatingIfNeeded: index &* 31)
            let first = [UInt8](repeating: value, count: size / 3)
            return [first, [], [UInt8](repeating: value &+ 1, count: size - size / 3)]
        }

        var whole: [UInt8] { sizes.indices.flatMap { Self.piece($0, sizes[$0]).flatMap { $0 } } }
    }

    static func route(_ pieces: Pieces) -> Route {
        Route(.post, "/stream") { head in
            .sink(
                BufferedBody(for: head) { _, _ in
                    .longWork {
                        var response = Response(text: "first ")
                        response.rest = pieces
                        return response
                    }
                })
        }
    }

    @Test(
        "Pieces arrive whole and in order, and the connection stays",
        arguments: [
            [], [0], [1], [5, 0, 7], [1_000_000, 3, 0, 200_000], Array(repeating: 40_000, count: 60),
        ])
    func order(_ sizes: [Int]) throws {
        let pieces = Pieces(sizes)
        let service = try TestService(routes: [Self.route(pieces)])
        let client = try service.client()
        for _ in 0..<2 {
            let reply = try client.request(.post, "/stream", body: [1])
            #expect(reply.status == 200)
            #expect(reply.headers[.transferEncoding] == "chunked")
            #expect(reply.body == Array("first ".utf8) + pieces.whole)
        }
        #expect(try client.request(.get, "/hello").text == "hello")
        let exchanges = try #require(service.recorder.finished(3))
        #expect(exchanges[0].bytesOut == 6 + pieces.whole.count)
        #expect(exchanges[0].ending == .completed)
    }

    @Test("A piece that fails leaves the reply without its end", arguments: [0, 1, 7])
    func cutOff(_ failing: Int) throws {
        let pieces = Pieces(Array(repeating: 1000, count: 8), failing: failing)
        let service = try TestService(routes: [Self.route(pieces)])
        let client = try service.client()
        #expect(throws: ClientError.self) { try client.request(.post, "/stream", body: [1]) }
        let exchange = try #require(service.recorder.finished(1)?.first)
        #expect(exchange.ending == .clientGone)
        #expect(exchange.bytesOut == 0)
        service.waitForMemory(0)
    }

    @Test(
        "The socket of a reply that breaks is closed, whoever else is connected", arguments: ["1.1", "1.0"])
    func closedWhenBroken(version: String) throws {
        let gate = Gate()
        let pieces = Pieces(Array(repeating: 1000, count: 8), failing: 7, gate: gate)
        let service = try TestService(routes: [Self.route(pieces)]) { $0.ioThreads = 1 }
        let older = try service.client()
        #expect(try older.request(.get, "/hello").text == "hello")
        for count in 1...3 {
            let client = try service.client()
            try client.send(
                "POST /stream HTTP/\(version)\r\nHost: x\r\nContent-Length: 1\r\n\r\n1")
            gate.waitForArrivals(1)
            gate.open()
            #expect(try client.receiveUntilClosed().count > 0)
            _ = try #require(service.recorder.finished(1 + count))
        }
        let connections = service.server.core.connections
        let isClosed = connections.wait(atMost: .seconds(10)) { $0.count == 1 ? true : nil }
        #expect(isClosed == true)
        #expect(try older.request(.get, "/hello").text == "hello")
    }

    @Test("A client that reads nothing holds back its own pieces and no thread")
    func slowReader() throws {
        let size = 1 << 20
        let pieces = Pieces(Array(repeating: size, count: 32))
        let service = try TestService(routes: [Self.route(pieces)])
        let client = try service.client()
        try client.send(client.head(.post, "/stream", [.contentLength: "1"]) + [1])
        _ = try client.receiveSome()
        // Others stream meanwhile, on the same threads.
        for _ in 0..<2 {
            let other = try service.client()
            try other.send(other.head(.post, "/stream", [.contentLength: "1"]) + [1])
            #expect(try other.receiveReply(to: .post).body.count == 6 + 32 * size)
        }
        service.waitForRunning(0)
        // Of the first, what the kernel's buffers hold and a few more.
        #expect(pieces.made.withLock { $0 } < 2 * 32 + 24)
        #expect(try client.receiveReply(to: .post).body.count == 6 + 32 * size)
        #expect(pieces.made.withLock { $0 } == 3 * 32)
    }

    @Test("A client that takes nothing in time is cut off")
    func tooSlow() throws {
        let pieces = Pieces(Array(repeating: 1 << 20, count: 64))
        let service = try TestService(routes: [Self.route(pieces)]) {
            $0.bodyDeadline = .milliseconds(100)
            $0.minimumBytesPerSecond = 1 << 30
        }
        let client = try service.client()
        try client.send(client.head(.post, "/stream", [.contentLength: "1"]) + [1])
        #expect(try #require(service.recorder.finished(1)).first?.ending == .timeout)
        #expect(pieces.made.withLock { $0 } < 64)
        #expect(throws: ClientError.self) { try client.receiveReply(to: .post) }
    }

    @Test("When the client leaves, no more pieces are made")
    func clientLeaves() throws {
        let gate = Gate()
        let pieces = Pieces(Array(repeating: 100, count: 1000), gate: gate)
        let service = try TestService(routes: [Self.route(pieces)])
        let client = try service.client()
        try client.send(client.head(.post, "/stream", [.contentLength: "1"]) + [1])
        gate.waitForArrivals(2)
        client.finishSending()
        gate.open()
        let exchange = try #require(service.recorder.finished(1)?.first)
        #expect(exchange.ending != .completed)
        #expect(pieces.made.withLock { $0 } < 1000)
        service.waitForRunning(0)
        service.waitForQueued(0)
    }

    @Test("The body's memory stays claimed until the reply is over")
    func memory() throws {
        let gate = Gate()
        let pieces = Pieces([10, 10], gate: gate)
        let service = try TestService(routes: [Self.route(pieces)])
        let client = try service.client()
        try client.send(
            client.head(.post, "/stream", [.contentLength: "1000"]) + Array(repeating: 7, count: 1000))
        gate.waitForArrivals(1)
        #expect(service.server.core.memory.claimed >= 1000)
        gate.open()
        #expect(try client.receiveReply(to: .post).body.count == 26)
        _ = try #require(service.recorder.finished(1))
        service.waitForMemory(0)
    }

    @Test("A drain cuts off what is not made within its grace")
    func drain() throws {
        let gate = Gate()
        let pieces = Pieces([10, 10, 10], gate: gate)
        let service = try TestService(routes: [Self.route(pieces)]) { $0.drainGrace = .milliseconds(50) }
        let client = try service.client()
        try client.send(client.head(.post, "/stream", [.contentLength: "1"]) + [1])
        gate.waitForArrivals(1)
        #expect(service.server.drain() == false)
        gate.open()
        #expect(throws: ClientError.self) { try client.receiveReply(to: .post) }
        #expect(try #require(service.recorder.finished(1)).first?.ending == .abandoned)
    }

    @Test("A stream that was about to begin when the grace was over does not begin")
    func abandonedBeforeItBegins() throws {
        let made = Gate()
        let held = Gate()
        let pieces = Pieces([10], gate: Gate())
        let late = Route(.post, "/late") { head in
            .sink(
                BufferedBody(for: head) { _, _ in
                    .longWork {
                        made.pass()
                        var response = Response(text: "first ")
                        response.rest = pieces
                        return response
                    }
                })
        }
        let hold = Route(.post, "/hold") { head in
            .sink(
                BufferedBody(for: head) { _, _ in
                    held.pass()
                    return .reply(Response())
                })
        }
        let service = try TestService(routes: [late, hold]) {
            $0.ioThreads = 1
            $0.drainGrace = .milliseconds(50)
        }
        defer { pieces.gate?.open() }
        let client = try service.client()
        try client.begin(.post, "/late")
        made.waitForArrivals(1)
        let holder = try service.client()
        try holder.begin(.post, "/hold")
        held.waitForArrivals(1)
        // The answer is there, and the only I/O thread is held up elsewhere.
        made.open()
        service.waitForRunning(0)
        let drained = try Later { service.server.drain() }
        // Connections are closed one after another; the thread goes on when both are.
        #expect(try holder.receiveUntilClosed().isEmpty)
        #expect(try client.receiveUntilClosed().isEmpty)
        held.open()
        #expect(!drained.get())
        let exchanges = try #require(service.recorder.finished(2))
        #expect(exchanges.allSatisfy { $0.ending == .abandoned })
    }
}
