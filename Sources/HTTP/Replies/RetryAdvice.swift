import HTTPTypes

/// What an answer tells machines about sending the request again, whoever makes it.
struct RetryAdvice: Sendable {
    private let retryAfter: Duration

    init(retryAfter: Duration) { self.retryAfter = retryAfter }

    /// 503 says when to come back (RFC 9110, section 15.6.4). Generated clients of APIs send anything from 500 on again
    /// unless `x-should-retry` forbids it: the same work would take as long again, and what is too large stays so.
    func add(to response: inout Response) {
        switch response.status.code {
        case 503 where !response.headers.contains(.retryAfter):
            response.headers[.retryAfter] = Self.seconds(retryAfter)
        case 504, 507: response.headers[.shouldRetry] = "false"
        default: break
        }
    }

    /// Whole seconds, at least one.
    static func seconds(_ duration: Duration) -> String { String(max(1, duration.components.seconds)) }
}

extension HTTPField.Name {
    static let shouldRetry = literal("x-should-retry")
}
