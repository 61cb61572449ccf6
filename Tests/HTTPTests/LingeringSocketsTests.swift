import Glibc
import Testing

@testable import HTTP

@Suite("Sockets that linger")
struct LingeringSocketsTests {
    private func lingering(
        for idle: Duration, bytes: Int, whole: @escaping @Sendable (Int) -> Duration = { _ in .seconds(1000) }
    ) -> LingeringSockets {
        LingeringSockets(idle: idle, bytes: bytes, whole: whole)
    }

    /// A connection: the server's end, which is closed as the library does after `keep`, and the client's.
    private func connection(to sockets: LingeringSockets) throws -> Int32 {
        var ends: [Int32] = [-1, -1]
        try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        sockets.keep(ends[0])
        close(ends[0])
        return ends[1]
    }

    /// Whether somebody at the other end would still take a byte.
    private func isOpen(_ client: Int32) -> Bool {
        var byte: UInt8 = 0
        return unsafe send(client, &byte, 1, Int32(MSG_NOSIGNAL | MSG_DONTWAIT)) == 1 || errno == EAGAIN
    }

    @Test("What comes is thrown away while the client is told that nothing more will")
    func takesWhatComes() throws {
        let sockets = lingering(for: .seconds(1000), bytes: 1 << 30)
        let client = try connection(to: sockets)
        defer { close(client) }
        var byte: UInt8 = 0
        #expect(unsafe recv(client, &byte, 1, 0) == 0)
        let piece = [UInt8](repeating: 1, count: 1 << 16)
        var taken = 0
        while taken < 8 << 20 {
            let count = unsafe send(client, piece, piece.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            try #require(count > 0 || errno == EAGAIN)
            if count < 0 { sockets.sweep(now: .now) } else { taken += count }
        }
    }

    @Test("It ends after its time, its bytes, or with the client")
    func ends() throws {
        let start = Moment.now
        let timed = lingering(for: .seconds(5), bytes: 1 << 20)
        let late = try connection(to: timed)
        timed.sweep(now: start + .seconds(4))
        #expect(isOpen(late))
        // A byte has come, which counts from when it is seen.
        timed.sweep(now: start + .seconds(8))
        timed.sweep(now: start + .seconds(14))
        #expect(!isOpen(late))
        close(late)

        let counted = lingering(for: .seconds(1000), bytes: 2)
        let busy = try connection(to: counted)
        #expect(isOpen(busy))
        counted.sweep(now: start)
        #expect(isOpen(busy))
        counted.sweep(now: start)
        #expect(!isOpen(busy))
        close(busy)

        let left = lingering(for: .seconds(1000), bytes: 1 << 20)
        close(try connection(to: left))
        left.finish(atMost: .seconds(100))
        #expect(left.count == 0)
    }

    @Test(
        "It ends when bytes come more slowly than those of a wanted body may, and stays while they come as fast"
    )
    func slow() throws {
        let sockets = lingering(for: .seconds(1000), bytes: 1 << 20) { .seconds(10 + $0) }
        let client = try connection(to: sockets)
        defer { close(client) }
        let start = Moment.now
        #expect(isOpen(client))
        sockets.sweep(now: start + .seconds(5))
        #expect(isOpen(client))
        sockets.sweep(now: start + .seconds(11.5))
        #expect(isOpen(client))
        sockets.sweep(now: start + .seconds(14))
        #expect(!isOpen(client))
    }

    @Test("What is watched takes as much as a client sends, without waiting for a look at a fixed time")
    func watched() throws {
        let sockets = lingering(for: .seconds(1000), bytes: 1 << 30)
        try sockets.watch()
        defer { sockets.stopWatching() }
        // So that the first comes to somebody who waits.
        usleep(50_000)
        let client = try connection(to: sockets)
        defer { close(client) }
        let piece = [UInt8](repeating: 1, count: 1 << 20)
        for _ in 0..<64 {
            #expect(unsafe send(client, piece, piece.count, Int32(MSG_NOSIGNAL)) == piece.count)
        }
        #expect(sockets.count == 1)
    }

    @Test("An end that waits for clients who stay does so for its time only")
    func finishes() throws {
        let sockets = lingering(for: .seconds(1000), bytes: 1 << 20)
        let client = try connection(to: sockets)
        defer { close(client) }
        sockets.finish(atMost: .milliseconds(100))
        #expect(sockets.count == 1)
    }

    @Test("Those that are left are closed with it")
    func released() throws {
        var sockets: LingeringSockets? = lingering(for: .seconds(1000), bytes: 1 << 20)
        let client = try connection(to: try #require(sockets))
        defer { close(client) }
        sockets = nil
        #expect(!isOpen(client))
    }
}
