import HTTP
import HTTPTypes

/// Lets a request in when it carries one of the configured bearer tokens (RFC 6750, section 2.1).
struct Authorization: Sendable {
    /// nil when everybody may come in.
    let tokens: BearerTokens?
    /// Paths that need no token.
    let openPaths: [String]

    /// nil when the request may pass. Whatever is not open is refused alike, so that a stranger learns nothing: neither
    /// which paths there are nor how large a body may be.
    func refusal(_ head: RequestHead) -> Response? {
        guard let tokens, !openPaths.contains(head.path) else { return nil }
        var field: HTTPField?
        for candidate in head.headers where candidate.name == .authorization {
            // Two proxies, or one, may read another one of them than this server would.
            guard field == nil else { return challenge(head, "more than one Authorization header") }
            field = candidate
        }
        guard let field else { return challenge(head, "no Authorization header") }
        guard let given = Authorization.bearer(field.value) else {
            return challenge(head, "the Authorization header is not of the scheme Bearer")
        }
        guard tokens.accept(given) else {
            return challenge(head, "the token is not one of this server's", error: "invalid_token")
        }
        return nil
    }

    /// What follows the scheme, whose case doesn't matter, and one blank or more (RFC 9110, section 11.4).
    private static func bearer(_ value: String) -> Substring.UTF8View? {
        let scheme = "bearer".utf8
        let bytes = value.utf8
        guard zip(bytes.prefix(scheme.count), scheme).allSatisfy({ $0 | 0x20 == $1 }) else { return nil }
        let rest = bytes.dropFirst(scheme.count)
        guard rest.first == UInt8(ascii: " ") else { return nil }
        return rest.drop { $0 == UInt8(ascii: " ") }
    }

    /// - Parameter error: for `WWW-Authenticate`, only when a token was sent (RFC 6750, section 3.1).
    private func challenge(_ head: RequestHead, _ reason: String, error: String? = nil) -> Response {
        var response = Problem(
            .unauthorized, Problem.Reason(reason, field: "Authorization", expected: "Bearer <token>")
        ).response(requestID: head.requestID)
        response.headers[.wwwAuthenticate] =
            "Bearer realm=\"perception-server\"" + (error.map { ", error=\"\($0)\"" } ?? "")
        return response
    }
}
