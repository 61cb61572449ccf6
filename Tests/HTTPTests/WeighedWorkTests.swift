import HTTPTypes
import Testing

@testable import HTTP

/// Work whose extent is known only once the request was read.
@Suite("Short work beside long work")
struct WeighedWorkTests {
    private let long = Gate()

    /// The body says what it turns out to be.
    private var route: Route {
        Route(.post, "/weighed") { [long] head in
            .sink(
                BufferedBody(for: head) { bytes, _ in
                    .weighedWork {
                        guard bytes == Array("long".utf8) else { return .response(Response(text: "short")) }
                        return .longWork(
                            {
                                long.pass()
                                return Response(text: "long")
                            }, expected: .seconds(1))
                    }
                })
        }
    }

    private func begin(_ client: LoopbackClient, _ body: String) throws {
        try client.begin(.post, "/weighed", body: Array(body.utf8))
    }

    @Test("However much long work there is, short work finds a thread", arguments: [1, 2])
    func shortGoesOn(_ threads: Int) throws {
        let service = try TestService(routes: [route]) { $0.workerThreads = threads }
        defer { long.open() }
        let waiting = try (0..<8).map { _ in try service.client() }
        for client in waiting { try begin(client, "long") }
        long.waitForArrivals(threads)
        service.waitForQueued(8 - threads)
        let client = try service.client()
        for _ in 0..<20 {
            #expect(try client.request(.post, "/weighed", body: Array("short".utf8)).text == "short")
        }
        #expect(long.arrived == threads)
        long.open()
        for client in waiting { #expect(try client.receiveReply(to: .post).text == "long") }
        let exchanges = try #require(service.recorder.finished(28))
        // Both waits and both parts of the work count.
        #expect(exchanges.allSatisfy { $0.durations.work > .zero && $0.ending == .completed })
    }

    @Test("What turns out to be long is refused where no more may wait")
    func full() throws {
        let service = try TestService(routes: [route]) {
            $0.workerThreads = 1
            $0.workQueueLimit = 0
        }
        defer { long.open() }
        let first = try service.client()
        try begin(first, "long")
        long.waitForArrivals(1)
        service.waitForRunning(1)
        let second = try service.client().request(.post, "/weighed", body: Array("long".utf8))
        #expect(second.status == 503)
        #expect(second.text.hasPrefix("busy(HTTP.FullLimit.queue(0)"))
        // The thread that answered may still be busy, and nobody may wait for it here.
        service.waitForRunning(1)
        #expect(try service.client().request(.post, "/weighed", body: Array("short".utf8)).text == "short")
        long.open()
        #expect(try first.receiveReply(to: .post).text == "long")
    }

    @Test("Who leaves while long work waits is not worked for")
    func left() throws {
        let service = try TestService(routes: [route]) { $0.workerThreads = 1 }
        defer { long.open() }
        let first = try service.client()
        try begin(first, "long")
        long.waitForArrivals(1)
        do {
            let gone = try service.client()
            try begin(gone, "long")
            service.waitForQueued(1)
        }
        long.open()
        #expect(try first.receiveReply(to: .post).text == "long")
        let exchanges = try #require(service.recorder.finished(2))
        #expect(exchanges.contains { $0.ending == .clientGone })
        #expect(long.arrived == 1)
    }
}
