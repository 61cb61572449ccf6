import Glibc
import Locking
import Parallelism
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
                ConfinementTests.number { unsafe socketpair(AF_UNIX, stream, 0, &pair) },
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
            return ConfinementTests.number { unsafe execv("/bin/true", &arguments) }
        }
        #expect(number == EPERM)
    }

    @Test("still opens files, starts threads, and talks over the sockets it has")
    func theRest() throws {
        let service = try TestService()
        let address = service.server.address
        let socket = address.makeSocket()
        defer { close(socket) }
        try #require(try unsafe address.withSystemAddress { unsafe connect(socket, $0, $1) } == 0)
        let isDone = try confined {
            let started = Monitor(false)
            guard let file = unsafe fopen("/proc/self/status", "r"),
                (try? PosixThread.start(named: "further") {
                    started.withLock(waking: .everybody) { $0 = true }
                })
                    != nil
            else { return false }
            unsafe fclose(file)
            started.wait { $0 ? () : nil }
            let request = Array("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".utf8)
            let sent = unsafe request.withUnsafeBytes {
                unsafe send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            var reply = [UInt8](repeating: 0, count: 12)
            let received = unsafe recv(socket, &reply, reply.count, Int32(MSG_WAITALL))
            return sent == request.count && received == 12
                && String(decoding: reply, as: UTF8.self) == "HTTP/1.1 200"
        }
        #expect(isDone)
    }
}
