import ArgumentParser
import HTTP
import HTTPTypes

/// Checks whether a running server accepts work, for container health checks.
struct Healthcheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Exit with 0 if the server at the given address is ready, otherwise with 1 and a reason.")

    @OptionGroup var listen: ListenOptions

    func run() throws {
        let probeAddress = try listen.probeAddress()
        if probeAddress == nil, try listen.tlsFiles() != nil {
            throw failure("this check speaks no TLS: give the server and it a --probe-port")
        }
        let address = try (probeAddress ?? listen.address()).reachable
        let status: Int
        do throws(ClientError) {
            let client = try LoopbackClient(connectingTo: address, timeout: .seconds(3))
            let reply = try client.request(.get, "/readyz")
            status = reply.status
        } catch {
            throw failure("\(address) does not answer: \(error)")
        }
        guard status == 200 else { throw failure("\(address) answered \(status): not ready") }
    }
}
