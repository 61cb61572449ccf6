/// Environment variables with which Kubernetes, and formerly Docker's links, announce other services to containers.
///
/// A Service named `perception` sets `PERCEPTION_PORT=tcp://10.0.0.1:8080` and similar variables in every pod of its
/// namespace. One named `perception-probe` sets `PERCEPTION_PROBE_PORT`. These are names of options of this server.
enum ServiceLink {
    /// Returns whether a value is an address in the form of a link: protocol, address, port.
    static func isAddress(_ value: String) -> Bool {
        value.wholeMatch(of: /(?:tcp|udp|sctp):\/\/\S+:\d+/) != nil
    }

    /// Returns the Service that sets this variable: `perception-probe` for `PERCEPTION_PROBE_PORT`.
    static func service(of variable: String) -> String {
        String(variable.dropLast("_PORT".count)).lowercased().map { $0 == "_" ? "-" : String($0) }.joined()
    }

    /// Returns one line that explains the variable and the remedy.
    static func advice(_ variable: String, _ value: String, option: String) -> String {
        "\(variable) is \"\(value)\", which Kubernetes sets for a Service named \(service(of: variable)): give the pod "
            + "enableServiceLinks: false, or --\(option), or a number in \(variable), or the Service another name"
    }

    /// Returns the variables that belong to links, by Service.
    static func variables(_ all: [(name: String, value: String)]) -> [String: Set<String>] {
        var links: [String: Set<String>] = [:]
        for (name, value) in all where name.hasSuffix("_PORT") && isAddress(value) {
            let prefix = String(name.dropLast("_PORT".count))
            let kind =
                /_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)/
            links[service(of: name)] = Set(
                all.map(\.name).filter {
                    $0.hasPrefix(prefix) && $0.dropFirst(prefix.count).wholeMatch(of: kind) != nil
                })
        }
        return links
    }
}
