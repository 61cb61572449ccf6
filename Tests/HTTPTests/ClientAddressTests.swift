import HTTPTypes
import Testing

@testable import HTTP

@Suite("Where a request came from")
struct ClientAddressTests {
    @Test(
        "is the address of the socket's other end, whatever header fields say",
        arguments: ["127.0.0.1", "::1"])
    func overTCP(host: String) throws {
        let service = try TestService { $0.address = .tcp(host: host, port: 0) }
        let forwarded = try #require(HTTPField.Name("X-Forwarded-For"))
        _ = try service.client().request(.get, "/hello", headers: [forwarded: "203.0.113.9"])
        let exchange = try #require(service.recorder.finished(1)?.first)
        #expect(exchange.client == host)
    }

    @Test("is written as IPv4 where an IPv4 client reaches an IPv6 socket")
    func mapped() throws {
        let service = try TestService { $0.address = .tcp(host: "::", port: 0) }
        let port = try #require(service.server.port)
        let client = try LoopbackClient(
            connectingTo: .tcp(host: "127.0.0.1", port: port), timeout: .seconds(10))
        _ = try client.request(.get, "/hello")
        #expect(try #require(service.recorder.finished(1)?.first).client == "127.0.0.1")
    }

    @Test("is no address on a Unix-domain socket")
    func overUnix() throws {
        let place = try TemporaryPath()
        let path = place.path
        let service = try TestService { $0.address = .unix(path: path) }
        _ = try service.client().request(.get, "/hello")
        #expect(try #require(service.recorder.finished(1)?.first).client == "unix")
    }
}
