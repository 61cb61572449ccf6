import HTTP
import HTTPTypes

/// Lets a request in when it carries one of the configured bearer tokens (RFC 6750 §2.1).
struct Authorization: Sendable {
    let tokens: [String]

    /// nil when the request may pass.
    func refusal(_ head: RequestHead) -> Response? {
        guard !tokens.isEmpty else { return nil }
        let given = head.headers[.authorization] ?? ""
        let scheme = given.prefix(7)
        // All tokens are compared, so that the time tells nothing about which one was near.
        var isAllowed = false
        for token in tokens
        where scheme.lowercased() == "bearer " && Authorization.equal(given.dropFirst(7), token) {
            isAllowed = true
        }
        if isAllowed { return nil }
        let reason = given.isEmpty ? "no Authorization header" : "the token is not one of this server's"
        var response = Problem(
            .unauthorized, Problem.Reason(reason, field: "Authorization", expected: "Bearer <token>")
        ).response(requestID: head.requestID)
        response.headers[.wwwAuthenticate] = "Bearer realm=\"perception-server\""
        return response
    }

    /// Takes the same time for every guess of one length.
    private static func equal(_ a: some StringProtocol, _ b: some StringProtocol) -> Bool {
        let left = Array(a.utf8)
        let right = Array(b.utf8)
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
