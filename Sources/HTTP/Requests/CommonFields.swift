import HTTPTypes

/// The header fields of every answer, whichever code produces or sends it.
///
/// The answers of an API are data. A browser must not guess their type, run, frame or store them, or give them to
/// another site's page. The fields follow OWASP's list for REST services.
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
        // Over TLS only (RFC 6797, section 7.2). The value is a year.
        if isSecure { fields[.strictTransportSecurity] = "max-age=31536000" }
        if let serverName { fields[.server] = serverName }
        self.fields = Array(fields)
    }

    /// An answer that sets one of these fields keeps its own value.
    func add(to headers: inout HTTPFields) {
        let own = headers
        for field in fields where !own.contains(field.name) { headers.append(field) }
    }
}

extension HTTPField.Name {
    static let xFrameOptions = literal("X-Frame-Options")
    static let referrerPolicy = literal("Referrer-Policy")
}
