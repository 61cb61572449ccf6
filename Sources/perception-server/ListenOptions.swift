import ArgumentParser
import HTTP

/// Where the server listens: shared by the commands that start one and that ask one.
struct ListenOptions: ParsableArguments {
    @Option(help: "IP address to listen on; another than loopback needs a token. (default: 127.0.0.1)")
    var host: String?

    @Option(help: "TCP port; 0 lets the system choose. (default: 8080)")
    var port: UInt16?

    @Option(help: ArgumentHelp("Listen on a Unix-domain socket instead of TCP.", valueName: "unix:PATH"))
    var listen: String?

    func address() throws -> SocketAddress {
        if let listen = try resolved(listen, "listen", "unix:PATH", where: { $0.hasPrefix("unix:") }) {
            return .unix(path: String(listen.dropFirst(5)))
        }
        let port = try resolved(port, "port", "a port from 0 to 65535")
        let host = try resolved(host, "host", "an IP address")
        return .tcp(host: host ?? "127.0.0.1", port: port ?? 8080)
    }
}

extension SocketAddress {
    /// Whether only this machine reaches it.
    var isLoopback: Bool {
        switch self {
        case .unix: true
        case .tcp(let host, _): host == "localhost" || host == "::1" || host.hasPrefix("127.")
        }
    }

    /// Where a client on this machine reaches a server that listens here.
    var reachable: SocketAddress {
        switch self {
        case .tcp("0.0.0.0", let port): .tcp(host: "127.0.0.1", port: port)
        case .tcp("::", let port): .tcp(host: "::1", port: port)
        case .tcp, .unix: self
        }
    }
}
