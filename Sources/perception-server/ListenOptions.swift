import ArgumentParser
import HTTP

/// The options for the server's address, shared by the commands that start and check a server.
struct ListenOptions: ParsableArguments {
    @Option(
        help:
            "IP address to listen on. Any but loopback requires a token. :: means every address, IPv6 and IPv4. (default: 127.0.0.1)"
    )
    var host: String?

    @Option(help: "TCP port; 0 lets the system choose. (default: 8080)")
    var port: UInt16?

    @Option(help: ArgumentHelp("Listen on a Unix-domain socket instead of TCP.", valueName: "unix:PATH"))
    var listen: String?

    @Option(
        help: ArgumentHelp(
            "Speak TLS 1.2 and 1.3 with this certificate chain in PEM form, the server's own certificate first.",
            valueName: "file"))
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("The certificate's private key, in PEM form.", valueName: "file"))
    var tlsKey: String?

    @Option(
        help: ArgumentHelp(
            "Names by which browsers reach this server, separated by commas; /v1/live answers only to addresses, localhost and these.",
            valueName: "names"))
    var publicHost: String?

    @Option(
        help:
            "A second TCP port on the same host that answers /healthz, /readyz and /metrics in plain HTTP; 0 lets the system choose."
    )
    var probePort: UInt16?

    /// The second address of /healthz, /readyz and /metrics; nil for none.
    func probeAddress() throws -> SocketAddress? {
        guard let port = try resolved(probePort, "probe-port", "a port from 0 to 65535") else { return nil }
        if port != 0, case .tcp(_, port) = try address() {
            throw ValidationError("--probe-port must differ from --port, which is \(port), too")
        }
        return .tcp(host: try chosenHost() ?? "127.0.0.1", port: port)
    }

    /// Lower case, without ports.
    func publicHosts() throws -> [String] {
        let names = try resolved(
            publicHost, "public-host", "host names with commas between them",
            where: {
                $0.split(separator: ",").allSatisfy { $0.wholeMatch(of: /\s*[A-Za-z0-9._-]+\s*/) != nil }
            })
        return (names ?? "").lowercased().split { $0 == "," || $0.isWhitespace }.map(String.init)
    }

    /// The files of the certificate and its key; nil for plain HTTP.
    func tlsFiles() throws -> (certificate: String, key: String)? {
        let certificate = try resolved(tlsCertificate, "tls-certificate", "a path")
        let key = try resolved(tlsKey, "tls-key", "a path")
        switch (certificate, key) {
        case (nil, nil): return nil
        case (let certificate?, let key?): return (certificate, key)
        case (_?, nil): throw ValidationError("--tls-certificate needs --tls-key")
        case (nil, _?): throw ValidationError("--tls-key needs --tls-certificate")
        }
    }

    /// Removes the brackets of an IPv6 address in a URL.
    private func chosenHost() throws -> String? {
        guard let host = try resolved(host, "host", "an IP address") else { return nil }
        return host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    }

    func address() throws -> SocketAddress {
        if let listen = try resolved(listen, "listen", "unix:PATH", where: { $0.hasPrefix("unix:") }) {
            return .unix(path: String(listen.dropFirst(5)))
        }
        let port = try resolved(port, "port", "a port from 0 to 65535")
        return .tcp(host: try chosenHost() ?? "127.0.0.1", port: port ?? 8080)
    }
}

extension SocketAddress {
    /// Whether only this machine can reach the address.
    var isLoopback: Bool {
        switch self {
        case .unix: true
        case .tcp(let host, _): host == "localhost" || host == "::1" || host.hasPrefix("127.")
        }
    }

    /// The address at which a client on this machine reaches a server with this address.
    var reachable: SocketAddress {
        switch self {
        case .tcp("0.0.0.0", let port): .tcp(host: "127.0.0.1", port: port)
        // The server accepts IPv4, too, and a container may have no IPv6 loopback.
        case .tcp("::", let port): .tcp(host: "127.0.0.1", port: port)
        case .tcp, .unix: self
        }
    }
}
