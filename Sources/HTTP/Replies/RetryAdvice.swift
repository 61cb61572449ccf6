import HTTPTypes

/// Advice in every answer to machines on whether to send the request again.
struct RetryAdvice: Sendable {
    private let retryAfter: Duration

    init(retryAfter: Duration) { self.retryAfter = retryAfter }

    /// A 503 says when to retry (RFC 9110, section 15.6.4). Generated API clients retry every status from 500 up unless
    /// `x-should-retry` forbids it. The other statuses forbid it: the same work would take as long again, and a request
    /// that is too large stays too large.
    func add(to response: inout Response) {
        switch response.status.code {
        case 503 where !response.headers.contains(.retryAfter):
            response.headers[.retryAfter] = Self.seconds(retryAfter)
        case 504, 507: response.headers[.shouldRetry] = "false"
        default: break
        }
    }

    /// The value in whole seconds, at least 1.
    static func seconds(_ duration: Duration) -> String { String(max(1, duration.components.seconds)) }
}

extension HTTPField.Name {
    static let shouldRetry = literal("x-should-retry")
}
