import Glibc
import Testing

@testable import HTTP

@Suite("A process that has given up reaching out")
struct ConfinementTests {
    /// Runs on a thread of its own, since there is no way back.
    private func confined<Value: Sendable>(_ body: @escaping @Sendable () -> Value) throws -> Value {
        let result = Monitor<Result<Value, Confinement.Unavailable>?>(nil)
        try PosixThread.start(named: "confined") {
            let outcome: Result<Value, Confinement.Unavailable>
            do throws(Confinement.Unavailable) {
                try Confinement.begin(for: .thread)
                outcome = .success(body())
            } catch {
                outcome = .failure(error)
            }
            result.withLock(waking: .everybody) { $0 = outcome }
        }
        return try #require(result.wait(atMost: .seconds(10)) { $0 }).get()
    }

    /// The error of a call, 0 when it succeeded.
    private static func number(_ call: () -> Int32) -> Int32 { call() < 0 ? errno : 0 }

    @Test("makes no socket of any family, and no pair", arguments: [AF_INET, AF_INET6, AF_UNIX, AF_NETLINK])
    func noSockets(family: Int32) throws {
        let numbers = try confined {
            let stream = Int32(SOCK_STREAM.rawValue)
            var pair: [Int32] = [0, 0]
            return [
                ConfinementTests.number { socket(family, stream, 0) },
                unsafe ConfinementTests.number { unsafe socketpair(AF_UNIX, stream, 0, &pair) },
            ]
        }
        #expect(numbers == [EPERM, EPERM])
    }

    @Test("connects and binds no socket that it had before")
    func noConnections() throws {
        let service = try TestService()
        let address = service.server.address
        let socket = address.makeSocket()
        defer { close(socket) }
        let numbers = try confined {
            [
                ConfinementTests.number {
                    (try? unsafe address.withSystemAddress { unsafe connect(socket, $0, $1) }) ?? 0
                },
                ConfinementTests.number {
                    (try? unsafe address.withSystemAddress { unsafe bind(socket, $0, $1) }) ?? 0
                },
                ConfinementTests.number { listen(socket, 1) },
            ]
        }
        #expect(numbers == [EPERM, EPERM, EPERM])
        // It was the thread's filter and nothing else.
        #expect(try unsafe address.withSystemAddress { unsafe connect(socket, $0, $1) } == 0)
    }

    @Test("starts no other program")
    func noPrograms() throws {
        let number = try confined {
            var arguments: [UnsafeMutablePointer<CChar>?] = unsafe [nil]
            return unsafe ConfinementTests.number { unsafe execv("/bin/true", &arguments) }
        }
        #expect(number == EPERM)
    }

    @Test("still accepts, reads, writes, opens files and starts threads")
    func theRest() throws {
        let service = try TestService()
        let client = try service.client()
        let reply = try confined { () -> String? in
            guard let started = try? unsafe fopen("/proc/self/status", "r") else { return nil }
            unsafe fclose(started)
            return try? client.request(.get, "/hello").text
        }
        #expect(reply == "hello")
    }
}
