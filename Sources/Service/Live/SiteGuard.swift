import HTTP
import HTTPTypes
import Text

/// Keeps pages of other sites from reading what is kept. A browser lets no page read another site's answers, but for a name
/// that its owner has made to mean this server's address (DNS rebinding): then the name in `Host` is a stranger's.
struct SiteGuard {
    /// Names by which browsers reach this server, lower case, without ports.
    let publicHosts: [String]

    /// Why the request is refused; nil when it may pass.
    func problem(_ head: RequestHead) -> Problem? {
        let host = head.headers[.hostField] ?? ""
        guard isOwn(SiteGuard.name(of: host)) else {
            return Problem(
                .forbidden,
                Problem.Reason(
                    "a name that the server does not know", field: "Host",
                    expected: "an IP address, localhost, or a name given with --public-host", found: host))
        }
        // What a page of this server's, or a person who types an address, has.
        if let site = head.headers[.secFetchSite], !["same-origin", "none"].contains(site) {
            return Problem(
                .forbidden,
                Problem.Reason(
                    "the request comes from a page of another site", field: "Sec-Fetch-Site",
                    expected: "same-origin or none",
                    found: site))
        }
        if let origin = head.headers[.origin], !isOwn(origin: origin, host) {
            return Problem(
                .forbidden,
                Problem.Reason(
                    "the request comes from a page of another site", field: "Origin",
                    expected: "this server's own",
                    found: origin))
        }
        return nil
    }

    private func isOwn(_ name: Substring) -> Bool {
        let name = name.lowercased()
        return name == "localhost" || publicHosts.contains(name) || SiteGuard.isAddress(name)
    }

    /// The same host and port, or, where a proxy stands between, one of the public names.
    private func isOwn(origin: String, _ host: String) -> Bool {
        guard let scheme = origin.firstRange(of: "://") else { return false }
        let authority = origin[scheme.upperBound...]
        return authority.lowercased() == host.lowercased()
            || publicHosts.contains(SiteGuard.name(of: String(authority)).lowercased())
    }

    /// Without the port: `[::1]:8080` → `[::1]`.
    private static func name(of host: String) -> Substring {
        guard let colon = host.lastIndex(of: ":"), host[colon...].dropFirst().allSatisfy(\.isWholeNumber),
            !host[colon...].contains("]")
        else { return host[...] }
        return host[..<colon]
    }

    /// Four numbers, or IPv6 in brackets: no name is read as either.
    private static func isAddress(_ text: String) -> Bool {
        if text.hasPrefix("["), text.hasSuffix("]") {
            let address = text.dropFirst().dropLast()
            return address.contains(":") && address.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
        }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                part.allSatisfy { "0123456789".contains($0) } && UInt8(part) != nil
            }
    }
}

extension HTTPField.Name {
    fileprivate static let hostField = name("Host")
    fileprivate static let secFetchSite = name("Sec-Fetch-Site")
}
