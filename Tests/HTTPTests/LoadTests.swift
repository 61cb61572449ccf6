import HTTPTypes
import Testing

@testable import HTTP

@Suite("Many requests at once", .serialized)
struct LoadTests {
    /// Every one of so many requests gets its own answer.
    private func allAnswered(
        _ service: TestService, connections: Int, requests: Int,
        path: @escaping @Sendable (Int, Int) -> String
    ) throws -> [String] {
        try inParallel(connections) { connection -> [String] in
            do throws(ClientError) {
                let client = try service.client(timeout: .seconds(60))
                var failures: [String] = []
                for number in 0..<requests {
                    let body = Array("\(connection)/\(number)".utf8)
                    let reply = try client.request(.post, path(connection, number), body: body)
                    if reply.status != 200 || reply.body != body {
                        failures.append("\(reply.status) \(reply.text)")
                    }
                }
                return failures
            } catch {
                return ["\(connection): \(error)"]
            }
        }.flatMap(\.self)
    }

    @Test("64 connections with 50 light and heavy requests each")
    func mixed() throws {
        let service = try TestService { $0.ioThreads = 2 }
        let failures = try allAnswered(service, connections: 64, requests: 50) { connection, number in
            (connection + number) % 2 == 0 ? "/echo" : "/heavy"
        }
        #expect(failures == [])
        let exchanges = try #require(service.recorder.finished(64 * 50))
        #expect(exchanges.count == 64 * 50)
        #expect(exchanges.allSatisfy { $0.ending == .completed && $0.bytesIn == $0.bytesOut })
        service.waitForNoConnections()
        #expect(
            service.server.load
                == ServerLoad(connections: 0, inFlight: 0, queued: 0, running: 0, memoryBytes: 0))
    }

    @Test("Nothing hangs when every connection is suspended all the time", arguments: [1, 2, 4])
    func suspendHeavy(ioThreads: Int) throws {
        let service = try TestService { $0.ioThreads = ioThreads }
        let failures = try allAnswered(service, connections: 48, requests: 100) { _, _ in "/heavy" }
        #expect(failures == [])
    }

    @Test("Light requests are answered while all workers are taken")
    func lightWhileBusy() throws {
        let service = try TestService()
        let clients = try (0..<2).map { _ in try service.client() }
        for client in clients { try client.send(client.head(.post, "/gated")) }
        service.gate.waitForArrivals(2)
        #expect(service.server.load.running == 2)
        let failures = try allAnswered(service, connections: 8, requests: 20) { _, _ in "/echo" }
        #expect(failures == [])
        #expect(service.gate.arrived == 2)
        service.gate.open()
        for client in clients { #expect(try client.receiveReply().text == "passed") }
    }

    @Test("However much long work there is, other work finds a thread")
    func workBesideLongWork() throws {
        let gate = Gate()
        defer { gate.open() }
        let long = Route(.post, "/long") { head in
            .sink(
                BufferedBody(for: head) { _, _ in
                    .longWork {
                        gate.pass()
                        return Response(text: "long")
                    }
                })
        }
        let service = try TestService(routes: [long]) { $0.workQueueLimit = 2 }
        let clients = try (0..<5).map { _ in try service.client() }
        // Two on threads, two waiting, one too many.
        for client in clients.prefix(2) { try client.send(client.head(.post, "/long")) }
        gate.waitForArrivals(2)
        for client in clients[2..<4] { try client.send(client.head(.post, "/long")) }
        service.waitForQueued(2)
        #expect(try clients[4].request(.post, "/long").status == 503)
        #expect(service.server.load.running == 2)
        #expect(!service.server.isReady)
        // Two at once: a thread counts as taken for a moment after its answer has gone, and four fill the queue.
        let failures = try allAnswered(service, connections: 2, requests: 20) { _, _ in "/heavy" }
        #expect(failures == [])
        gate.open()
        for client in clients.prefix(4) { #expect(try client.receiveReply().text == "long") }
    }

    @Test("A long job delays no heavy request while another worker is idle")
    func heavyBesideLong() throws {
        let service = try TestService()
        let long = try service.client()
        try long.send(long.head(.post, "/gated"))
        service.gate.waitForArrivals(1)
        let failures = try allAnswered(service, connections: 8, requests: 20) { _, _ in "/heavy" }
        #expect(failures == [])
        // A worker counts as running until a moment after its answer is on its way.
        service.waitForRunning(1)
        service.gate.open()
        #expect(try long.receiveReply().text == "passed")
    }

    @Test("Beyond the queue's limit requests are refused at once, and readiness says so")
    func queueLimit() throws {
        let service = try TestService {
            $0.workerThreads = 1
            $0.workQueueLimit = 2
        }
        #expect(service.server.isReady)
        let waiting = try (0..<3).map { _ in try service.client() }
        for client in waiting { try client.send(client.head(.post, "/gated")) }
        service.gate.waitForArrivals(1)
        service.waitForQueued(2)
        #expect(!service.server.isReady)
        let refused = try service.client()
        for _ in 0..<5 {
            let reply = try refused.request(.post, "/gated")
            #expect(reply.status == 503)
            #expect(reply.headers[.retryAfter] == "1")
        }
        #expect(try refused.request(.get, "/hello").text == "hello")
        service.gate.open()
        for client in waiting { #expect(try client.receiveReply().text == "passed") }
        #expect(try refused.request(.post, "/gated").text == "passed")
        #expect(service.server.isReady)
    }
}
