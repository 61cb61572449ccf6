import HTTP
import HTTPTypes
import Text

/// Keeps pages of other sites from reading kept batches. A browser lets no page read another site's answers, unless the
/// owner of a name points it to this server's address (DNS rebinding). In that case `Host` contains a foreign name.
struct SiteGuard {
    /// Names by which browsers reach this server, lower case, without ports.
    let publicHosts: [String]

    /// Returns the reason to refuse the request; nil if it may pass.
    func problem(_ head: RequestHead) -> Problem? {
        let host = head.headers[.hostField] ?? ""
        guard isOwn(SiteGuard.name(of: host)) else {
            return Problem(
                .forbidden,
                Problem.Reason(
                    "a name that the server does not know", field: "Host",
                    expected: "an IP address, localhost, or a name given with --public-host", found: host))
        }
        // The values of a page of this server, or of a person who types an address.
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

    /// Whether host and port are the same, or the host is a public name used by a proxy.
    private func isOwn(origin: String, _ host: String) -> Bool {
        guard let scheme = origin.firstRange(of: "://") else { return false }
        let authority = origin[scheme.upperBound...]
        return authority.lowercased() == host.lowercased()
            || publicHosts.contains(SiteGuard.name(of: String(authority)).lowercased())
    }

    /// Removes the port: `[::1]:8080` → `[::1]`.
    private static func name(of host: String) -> Substring {
        guard let colon = host.lastIndex(of: ":"), host[colon...].dropFirst().allSatisfy(\.isWholeNumber),
            !host[colon...].contains("]")
        else { return host[...] }
        return host[..<colon]
    }

    /// Whether the text is four numbers, or IPv6 in brackets. No name has either form.
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
