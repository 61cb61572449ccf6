import HTTPTypes
import Testing

@testable import HTTP

@Suite("Serving over a socket")
struct ServingTests {
    @Test("One connection carries many requests")
    func keepAlive() throws {
        let service = try TestService()
        let client = try service.client()
        for number in 0..<200 {
            let reply = try client.request(.post, number % 2 == 0 ? "/echo" : "/heavy", body: Array("\(number)".utf8))
            #expect(reply.status == 200)
            #expect(reply.text == "\(number)")
            #expect(reply.headers[.connection]?.lowercased() != "close")
        }
        #expect(service.server.load.connections == 1)
    }
}
