import HTTPTypes

/// The header fields that every answer carries, whoever makes it and over whichever way it leaves.
///
/// The answers of an API are data: no browser may guess at their type, run or frame them, keep them, or hand them to
/// another site's page. What a scanner asks of them is OWASP's list for REST services.
struct CommonFields: Sendable {
    private let fields: [HTTPField]

    /// - Parameter isSecure: whether clients speak TLS.
    init(serverName: String?, isSecure: Bool) {
        var fields: HTTPFields = [
            .xContentTypeOptions: "nosniff",
            .cacheControl: "no-store",
            .contentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'",
            .xFrameOptions: "DENY",
            .referrerPolicy: "no-referrer",
            .crossOriginResourcePolicy: "same-origin",
        ]
        // RFC 6797, section 7.2: over TLS only. A year.
        if isSecure { fields[.strictTransportSecurity] = "max-age=31536000" }
        if let serverName { fields[.server] = serverName }
        self.fields = Array(fields)
    }

    /// An answer that says one of them itself keeps its own.
    func add(to headers: inout HTTPFields) {
        let own = headers
        for field in fields where !own.contains(field.name) { headers.append(field) }
    }
}

extension HTTPField.Name {
    static let xFrameOptions = literal("X-Frame-Options")
    static let referrerPolicy = literal("Referrer-Policy")
}
