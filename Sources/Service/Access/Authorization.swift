import HTTP
import HTTPTypes
import Text

/// Admits requests that carry one of the configured bearer tokens (RFC 6750, section 2.1).
struct Authorization: Sendable {
    /// The accepted tokens; nil if the server requires none.
    let tokens: BearerTokens?
    /// Paths that need no token, in addition to those of the empty pages.
    let openPaths: [String]
    /// The prefix of paths below which the token may be a password, because pip has no other way to send one.
    static let passwordPaths = "/client/"

    /// Returns nil if the request may pass. All other requests get the same refusal, so that strangers learn neither
    /// paths nor limits.
    func refusal(_ head: RequestHead) -> Response? {
        guard let tokens, !openPaths.contains(head.path), !PageRoutes.contain(head.path)
        else { return nil }
        var field: HTTPField?
        for candidate in head.headers where candidate.name == .authorization {
            // A proxy may read a different one of them than this server does.
            guard field == nil else { return challenge(head, "more than one Authorization header") }
            field = candidate
        }
        guard let field else { return challenge(head, "no Authorization header") }
        let acceptsPassword = head.path.hasPrefix(Authorization.passwordPaths)
        let bytes = field.value.utf8
        if let token = Authorization.credentials(bytes, scheme: "bearer") {
            guard tokens.accept(token) else { return wrongToken(head) }
        } else if acceptsPassword, let login = Authorization.credentials(bytes, scheme: "basic") {
            guard let password = Authorization.password(login) else {
                return challenge(head, "the credentials are not base64 of user, colon and token")
            }
            guard tokens.accept(password) else { return wrongToken(head) }
        } else {
            return challenge(
                head,
                "the Authorization header is not of the scheme Bearer" + (acceptsPassword ? " or Basic" : ""))
        }
        return nil
    }

    /// Returns the text after the scheme, in any case, and one or more blanks (RFC 9110, section 11.4).
    private static func credentials(_ bytes: String.UTF8View, scheme: String) -> Substring.UTF8View? {
        let scheme = scheme.utf8
        guard zip(bytes.prefix(scheme.count), scheme).allSatisfy({ $0 | 0x20 == $1 }) else { return nil }
        let rest = bytes.dropFirst(scheme.count)
        guard rest.first == UInt8(ascii: " ") else { return nil }
        return rest.drop { $0 == UInt8(ascii: " ") }
    }

    /// Returns the text after the first colon of a login in base64 (RFC 7617, section 2).
    private static func password(_ login: Substring.UTF8View) -> ArraySlice<UInt8>? {
        guard case .success(let text) = Base64.decode(ArraySlice(login)),
            let colon = text.firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        return text[(colon + 1)...]
    }

    private func wrongToken(_ head: RequestHead) -> Response {
        challenge(head, "the token is not one of this server's", error: "invalid_token")
    }

    /// - Parameter error: the error for `WWW-Authenticate`, given only if a token was sent (RFC 6750, section 3.1).
    private func challenge(_ head: RequestHead, _ reason: String, error: String? = nil) -> Response {
        let acceptsPassword = head.path.hasPrefix(Authorization.passwordPaths)
        var response = Problem(
            .unauthorized,
            Problem.Reason(
                reason, field: "Authorization",
                expected: "Bearer <token>" + (acceptsPassword ? ", or Basic with the token as password" : ""))
        ).response(requestID: head.requestID)
        let realm = "realm=\"perception-server\""
        response.headers[.wwwAuthenticate] =
            "Bearer \(realm)" + (error.map { ", error=\"\($0)\"" } ?? "")
            + (acceptsPassword ? ", Basic \(realm)" : "")
        return response
    }
}
