import HTTPTypes
import Testing

@testable import HTTP

@Suite("Bytes at random", .serialized)
struct FuzzTests {
    /// xorshift64*: the same bytes in every run.
    private struct Random: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state ^= state >> 12
            state ^= state << 25
            state ^= state >> 27
            return state &* 0x2545_F491_4F6C_DD1D
        }
    }

    private static let seeds = [
        "GET /hello?a=b HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789",
        "POST /heavy HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5;x=y\r\n56789\r\n0\r\nT: t\r\n\r\n",
        "POST /stop HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\nHEAD /pieces HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ].map { Array($0.utf8) }

    /// One of the seeds with a few bytes changed, left out, repeated or cut off.
    private static func mutation(_ random: inout Random) -> [UInt8] {
        var bytes = (0..<Int.random(in: 1...3, using: &random)).flatMap { _ in
            seeds[Int.random(in: 0..<seeds.count, using: &random)]
        }
        for _ in 0..<Int.random(in: 0...6, using: &random) where bytes.count > 1 {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(contentsOf: bytes[place...].prefix(20), at: place)
            case 3: bytes.removeSubrange(place...)
            default: bytes[place] ^= 0x20
            }
        }
        return bytes
    }

    @Test("Nothing that is sent takes the server down or stays behind")
    func mutations() throws {
        let route = Route(.post, "/stop") { _ in .sink(StoppingSink(after: 10)) }
        let service = try TestService(routes: [route]) {
            $0.maxBodyBytes = 100
            $0.discardBytes = 50
            $0.headerTimeout = .milliseconds(100)
            $0.idleTimeout = .milliseconds(100)
            $0.bodyDeadline = .milliseconds(100)
        }
        let failures = try inParallel(8) { thread -> Int in
            var random = Random(state: UInt64(thread + 1))
            var failures = 0
            for number in 0..<200 {
                let bytes = Self.mutation(&random)
                do throws(ClientError) {
                    let client = try service.client()
                    try client.send(bytes)
                    if number % 3 == 0 { client.finishSending() }
                    if number % 5 == 0 { client.resetWhenReleased() }
                    if number % 2 == 0 { _ = try client.receiveSome() }
                } catch .timedOut {
                    failures += 1
                } catch {
                    // Closed or reset: what such bytes deserve.
                }
            }
            return failures
        }
        #expect(failures.reduce(0, +) == 0)
        service.waitForNoConnections()
        #expect(
            service.server.load
                == ServerLoad(connections: 0, inFlight: 0, queued: 0, running: 0, memoryBytes: 0))
        // Whoever is served within 100 ms; a busy machine may need more than one try.
        #expect((0..<20).contains { _ in (try? service.client().request(.get, "/hello").text) == "hello" })
    }
}
