import Glibc
import HTTPTypes
import Testing

@testable import HTTP

/// Clients that do not read their answers, and those beside them.
@Suite("Slow readers", .serialized)
struct SlowReaderTests {
    /// Slow is who takes longer than 100 ms, and the share is a quarter of 128 MiB.
    private func service(_ replyBytes: Int, share: Int = 32 << 20) throws -> TestService {
        try TestService(routes: [route("/large", replyBytes), route("/within", share - replyBytes)]) {
            $0.memoryBudgetBytes = 4 * share
            // A body may take for ever here: nothing but the share ends anybody.
            $0.bodyDeadline = .milliseconds(800)
            $0.minimumBytesPerSecond = 1 << 20
            $0.requestTimeout = .seconds(60)
        }
    }

    private func route(_ path: String, _ replyBytes: Int) -> Route {
        Route(.post, path) { head in
            .sink(
                BufferedBody(for: head) { _, scope in
                    .work {
                        if let refusal = scope.claim(replyBytes) {
                            return Response(refusal.status, text: "\(refusal)")
                        }
                        return Response(body: [[UInt8](repeating: 7, count: replyBytes)])
                    }
                })
        }
    }

    private func waitUntil(_ seconds: Int = 10, _ condition: () -> Bool) -> Bool {
        let deadline = Moment.now + .seconds(seconds)
        while !condition() {
            if Moment.now > deadline { return false }
            usleep(2000)
        }
        return true
    }

    @Test("Together they hold no more than their share, the latest go, and others are served")
    func share() throws {
        let size = 20 << 20
        let service = try service(size)
        var deaf: [LoopbackClient] = []
        for count in 1...4 {
            let client = try service.client()
            try client.begin(.post, "/large")
            deaf.append(client)
            // One after the other, so that it is known who is latest.
            #expect(
                waitUntil { service.server.load.slowReaders.count >= 1 || service.recorder.count >= count })
        }
        let ended = try #require(service.recorder.finished(3))
        #expect(ended.prefix(3).allSatisfy { $0.ending == .crowdedOut })
        #expect(waitUntil { service.server.load.slowReaders.bytes <= 32 << 20 })
        // Who reads is served meanwhile. Its reply fits in what is left of the share, as on a busy machine it may take
        // 100 ms to read.
        let honest = try service.client()
        #expect(try honest.request(.post, "/within", body: []).body.count == 12 << 20)
    }

    @Test("Alone, a slow reader is left to read")
    func alone() throws {
        let size = 20 << 20
        let service = try service(size)
        let client = try service.client()
        try client.begin(.post, "/large")
        #expect(waitUntil { service.server.load.slowReaders == SlowReaders(count: 1, bytes: size) })
        #expect(try client.receiveReply(to: .post).body.count == size)
        #expect(try #require(service.recorder.finished(1)).first?.ending == .completed)
        #expect(waitUntil { service.server.load.slowReaders == SlowReaders() })
        service.waitForMemory(0)
    }
}
