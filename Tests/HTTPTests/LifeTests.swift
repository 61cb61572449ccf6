import Glibc
import HTTPTypes
import Testing

@testable import HTTP

@Suite("Starting and draining", .serialized)
struct LifeTests {
    @Test("Port 0 becomes a real port")
    func ephemeralPort() throws {
        let first = try TestService()
        let second = try TestService()
        let port = try #require(first.server.port)
        #expect(port != 0)
        #expect(first.server.port != second.server.port)
        #expect(first.server.address.description == "http://127.0.0.1:\(port)")
    }

    @Test("A port in use is named")
    func portInUse() throws {
        let service = try TestService()
        let error = #expect(throws: ServerError.addressInUse(service.server.address)) {
            _ = try TestService { $0.address = service.server.address }
        }
        #expect(error?.description.contains("is in use") == true)
    }

    @Test(
        "An address that is none is named",
        arguments: ["localhos", "300.1.1.1", "", "::g", "example.com", "127.0.0.1 "])
    func invalidHost(host: String) {
        let error = #expect(throws: ServerError.self) {
            _ = try TestService { $0.address = .tcp(host: host, port: 0) }
        }
        guard case .invalidAddress = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("An address of another machine is named")
    func foreignAddress() {
        #expect(throws: ServerError.addressNotAvailable(.tcp(host: "192.0.2.1", port: 0))) {
            _ = try TestService { $0.address = .tcp(host: "192.0.2.1", port: 0) }
        }
    }

    @Test("A configuration that makes no sense is named")
    func invalidConfiguration() {
        #expect(throws: ServerError.invalidConfiguration("workerThreads is 0 and must be at least 1")) {
            _ = try TestService { $0.workerThreads = 0 }
        }
    }

    @Test("It serves over a Unix-domain socket and removes it in the end")
    func unixSocket() throws {
        let place = try TemporaryPath()
        let path = place.path
        let service = try TestService { $0.address = .unix(path: path) }
        #expect(service.server.port == nil)
        let client = try service.client()
        #expect(try client.request(.get, "/hello").text == "hello")
        #expect(try client.request(.post, "/heavy", body: Array("x".utf8)).text == "x")
        #expect(throws: ServerError.addressInUse(.unix(path: path))) {
            _ = try TestService { $0.address = .unix(path: path) }
        }
        #expect(service.server.drain())
        #expect(!place.exists)
    }

    @Test("A socket left behind by a killed server is taken over")
    func abandonedSocket() throws {
        let place = try TemporaryPath()
        let path = place.path
        let left = try Listener(on: .unix(path: path))
        close(left.socket)
        #expect(place.exists)
        let service = try TestService { $0.address = .unix(path: path) }
        #expect(try service.client().request(.get, "/hello").text == "hello")
    }

    @Test("Any other file in the way is left alone")
    func occupiedPath() throws {
        let place = try TemporaryPath()
        let path = place.path
        place.write("mine")
        #expect(throws: ServerError.socketPathOccupied(path)) {
            _ = try TestService { $0.address = .unix(path: path) }
        }
        #expect(place.exists)
    }

    @Test("A socket's path must fit and its directory exist")
    func invalidPath() {
        let long = "/tmp/" + String(repeating: "x", count: 103)
        for path in [long, "", "/tmp/no/such/directory/socket"] {
            let error = #expect(throws: ServerError.self) {
                _ = try TestService { $0.address = .unix(path: path) }
            }
            guard case .invalidAddress = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
    }

    @Test("Draining answers all requests in flight, refuses new ones and then is over")
    func drain() throws {
        let service = try TestService()
        let clients = try (0..<6).map { _ in try service.client() }
        for client in clients { try client.send(client.head(.post, "/gated")) }
        service.gate.waitForArrivals(2)
        service.waitForQueued(4)
        let uploading = try service.client()
        try uploading.send(uploading.head(.post, "/echo", [.contentLength: "4"]) + Array("ab".utf8))
        let resting = try service.client()
        #expect(try resting.request(.get, "/hello").text == "hello")
        service.waitForInFlight(7)

        let drained = try Later { service.server.drain() }
        service.waitUntilDraining()
        #expect(!service.server.isReady)
        let refused = try resting.request(.get, "/hello")
        #expect(refused.status == 503)
        #expect(refused.headers[.connection]?.lowercased() == "close")
        #expect(throws: ClientError.self) { try service.client().request(.get, "/hello") }
        #expect(!drained.hasHappened)

        try uploading.send("cd")
        #expect(try uploading.receiveReply().text == "abcd")
        service.gate.open()
        for client in clients {
            #expect(try client.receiveReply().text == "passed")
            #expect(try client.receiveUntilClosed().isEmpty)
        }
        #expect(drained.get())
        #expect(service.server.drain())
        #expect(
            service.server.load
                == ServerLoad(connections: 0, inFlight: 0, queued: 0, running: 0, memoryBytes: 0))
        let exchanges = try #require(service.recorder.finished(9))
        #expect(exchanges.allSatisfy { $0.ending == .completed })
    }

    @Test("When the grace is over, what waits is answered with 503 and the server stops")
    func graceOver() throws {
        let service = try TestService {
            $0.workerThreads = 1
            $0.drainGrace = .milliseconds(100)
        }
        let clients = try (0..<3).map { _ in try service.client() }
        for client in clients { try client.send(client.head(.post, "/gated")) }
        service.gate.waitForArrivals(1)
        service.waitForQueued(2)
        let uploading = try service.client()
        try uploading.send(uploading.head(.post, "/echo", [.contentLength: "4"]) + Array("ab".utf8))
        service.waitForInFlight(4)
        #expect(!service.server.drain())
        for client in clients + [uploading] {
            let reply = try client.receiveReply()
            #expect(reply.status == 503)
            #expect(reply.text.hasPrefix("draining"))
            #expect(try client.receiveUntilClosed().isEmpty)
        }
        service.gate.open()
    }

    @Test("Draining under load answers every request that was taken", arguments: 0..<5)
    func drainUnderLoad(round: Int) throws {
        let service = try TestService()
        let started = Gate()
        started.open()
        let drained = try Later {
            started.waitForArrivals(64 + 16 * round)
            return service.server.drain()
        }
        let halves = try inParallel(16) { _ -> Int in
            var halfAnswered = 0
            do throws(ClientError) {
                let client = try service.client()
                for number in 0..<10_000 {
                    started.pass()
                    let body = Array(repeating: UInt8(truncatingIfNeeded: number), count: 1000)
                    let reply = try client.request(.post, number % 2 == 0 ? "/heavy" : "/echo", body: body)
                    if reply.status == 503 { break }
                    if reply.status != 200 || reply.body != body { halfAnswered += 1 }
                }
            } catch .closed(let received) where received > 0 {
                halfAnswered += 1
            } catch {
                // Closed between two requests, or refused.
            }
            return halfAnswered
        }
        #expect(drained.get())
        #expect(halves.reduce(0, +) == 0)
        #expect(service.server.load.inFlight == 0)
    }

    @Test("A server let go stops by itself")
    func released() throws {
        var address = SocketAddress.tcp(host: "127.0.0.1", port: 0)
        do {
            var configuration = ServerConfiguration()
            configuration.address = address
            let server = try Server(
                configuration, router: Router([]), render: renderPlainly, observer: Recorder())
            address = server.address
            #expect(try LoopbackClient(connectingTo: address).request(.get, "/").status == 404)
        }
        #expect(throws: ClientError.self) { try LoopbackClient(connectingTo: address) }
    }
}
