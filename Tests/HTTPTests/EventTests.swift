import HTTPTypes
import Locking
import Testing

@testable import HTTP

@Suite("Events")
struct EventTests {
    private static let lastEventID = HTTPField.Name("Last-Event-ID")

    private func service(
        _ feed: EventFeed, configure: (inout ServerConfiguration) -> Void = { _ in }
    ) throws -> TestService {
        let route = Route(.get, "/events") { head in
            guard let stream = feed.open(after: Self.lastEventID.flatMap { head.headers[$0] }) else {
                return .reply(Response(.serviceUnavailable, text: "full"))
            }
            var response = Response(headers: [.contentType: "text/event-stream"])
            response.events = stream
            return .reply(response)
        }
        return try TestService(routes: [route], configure: configure)
    }

    private func feed(viewers: Int = 4, keptBytes: Int = 1 << 16) -> EventFeed {
        EventFeed(viewers: viewers, keptBytes: keptBytes, epoch: "e")
    }

    /// Begins to watch, and waits until the stream has begun.
    private func watch(_ service: TestService, after id: String? = nil) throws -> LoopbackClient {
        let client = try service.client()
        var fields: HTTPFields = [:]
        if let id, let name = Self.lastEventID { fields[name] = id }
        try client.send(client.head(.get, "/events", fields))
        #expect(try client.receive(through: "retry: 2000\n\n").hasPrefix("HTTP/1.1 200"))
        return client
    }

    private func publish(_ feed: EventFeed, _ numbers: ClosedRange<Int>) {
        for number in numbers { feed.publish("n", data: Array("\(number)".utf8)) }
    }

    @Test("Every viewer gets what is published, in order")
    func order() throws {
        let feed = feed()
        let service = try service(feed)
        publish(feed, 1...3)
        let clients = try (0..<3).map { _ in try watch(service) }
        publish(feed, 4...6)
        for client in clients {
            let text = try client.receive(through: "id: e-6\nevent: n\ndata: 6\n\n")
            // Since it came, and in one piece each.
            #expect(!text.contains("data: 3\n\n"))
            #expect(text.contains("id: e-4\nevent: n\ndata: 4\n\n") && text.contains("id: e-5\nevent: n\n"))
        }
        #expect(feed.viewers == 3)
    }

    @Test("A viewer resumes behind the last event that it has")
    func resume() throws {
        let feed = feed()
        let service = try service(feed)
        publish(feed, 1...5)
        let client = try watch(service, after: "e-3")
        let text = try client.receive(through: "data: 5\n\n")
        #expect(text.contains("id: e-4\n") && !text.contains("id: e-3\n") && !text.contains("lost"))
        // It has all of them: nothing comes until there is more.
        let upToDate = try watch(service, after: "e-5")
        publish(feed, 6...6)
        #expect(try !upToDate.receive(through: "data: 6\n\n").contains("e-5"))
    }

    @Test("A viewer is told of events that are gone", arguments: ["e-1", "other-4", "e-9", "e-", "", "e--1"])
    func lost(_ id: String) throws {
        let feed = feed(keptBytes: 64)
        let service = try service(feed)
        publish(feed, 1...5)
        let client = try watch(service, after: id)
        _ = try client.receive(through: "id: e-5\nevent: lost\ndata: {}\n\n")
        publish(feed, 6...6)
        #expect(try !client.receive(through: "data: 6\n\n").contains("lost"))
    }

    @Test("A viewer that falls behind is told that events are gone, and goes on with what is kept")
    func behind() throws {
        let feed = feed(keptBytes: 1 << 12)
        let service = try service(feed)
        let client = try watch(service)
        let filler = [UInt8](repeating: 0x61, count: 1 << 10)
        // More than the system holds for a connection.
        for _ in 0..<20_000 { feed.publish("n", data: filler) }
        _ = try client.receive(through: "event: lost\ndata: {}\n")
        feed.publish("n", data: Array("end".utf8))
        _ = try client.receive(through: "data: end\n")
        #expect(feed.viewers == 1)
        _ = service
    }

    @Test("There are so many seats, and who leaves gives one back, without an event")
    func seats() throws {
        let feed = feed(viewers: 2)
        let service = try service(feed) { $0.idleTimeout = .milliseconds(400) }
        let first = try watch(service)
        do {
            let second = try watch(service)
            #expect(try service.client().request(.get, "/events").status == 503)
            #expect(feed.viewers == 2)
            _ = second
        }
        let exchanges = try #require(service.recorder.finished(2))
        #expect(exchanges.contains { $0.ending == .clientGone && $0.status == .ok })
        _ = try watch(service)
        #expect(try service.client().request(.head, "/events").status != 404)
        _ = first
    }

    @Test("Viewers hold no worker, and neither the limit of time nor the least rate is theirs")
    func exempt() throws {
        let feed = feed(viewers: 20)
        let service = try service(feed) {
            $0.workerThreads = 1
            $0.requestTimeout = .milliseconds(100)
            $0.bodyDeadline = .milliseconds(100)
            $0.minimumBytesPerSecond = 1 << 30
            $0.eventPulse = .milliseconds(50)
        }
        let clients = try (0..<20).map { _ in try watch(service) }
        #expect(service.server.load.running == 0 && service.server.load.queued == 0)
        #expect(try service.client().request(.post, "/heavy", body: [7]).body == [7])
        // Ten times what any other reply may take.
        for client in clients { for _ in 0..<20 { _ = try client.receive(through: ":\n\n") } }
        publish(feed, 1...1)
        for client in clients { _ = try client.receive(through: "data: 1\n\n") }
        #expect(service.server.load.memoryBytes == 0)
    }

    @Test("A drain ends them at once, each reply whole")
    func drain() throws {
        let feed = feed()
        let service = try service(feed)
        let clients = try (0..<3).map { _ in try watch(service) }
        publish(feed, 1...1)
        let began = Moment.now
        #expect(service.server.drain())
        // Far below the grace of 30 s.
        #expect(Moment.now - began < .seconds(10))
        for client in clients {
            let rest = String(decoding: try client.receiveUntilClosed(), as: UTF8.self)
            #expect(rest.hasSuffix("0\r\n\r\n"))
        }
        let exchanges = try #require(service.recorder.finished(3))
        #expect(exchanges.allSatisfy { $0.ending == .completed && $0.bytesOut > 0 })
        #expect(feed.viewers == 0)
    }

    @Test("A viewer that takes nothing for as long as a connection may rest is ended")
    func stalled() throws {
        let feed = feed(keptBytes: 8 << 20)
        let service = try service(feed) { $0.idleTimeout = .milliseconds(300) }
        let client = try watch(service)
        let filler = [UInt8](repeating: 0x61, count: 1 << 20)
        for _ in 0..<64 { feed.publish("n", data: filler) }
        var published = 0
        while service.recorder.count == 0, published < 5_000 {
            feed.publish("n", data: filler)
            published += 1
        }
        let exchanges = try #require(service.recorder.finished(1))
        #expect(exchanges[0].ending == .timeout)
        #expect(feed.viewers == 0)
        _ = client
    }
}
