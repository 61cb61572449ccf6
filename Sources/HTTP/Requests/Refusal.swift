package import HTTPTypes

/// Everything that this module refuses by itself, before an endpoint answers or in its place.
///
/// The service renders a refusal's body (see ``RefusalRenderer``); this type sets the status and the fields that the
/// standard requires (`Allow`, `Retry-After`).
package enum Refusal: Error, Sendable, Equatable {
    /// 400: the head is broken or could be read in two ways.
    case malformed(MalformedRequest)
    /// 404
    case notFound(path: String)
    /// 405, with `Allow`.
    case methodNotAllowed(HTTPRequest.Method, allow: [HTTPRequest.Method])
    /// 408: the head was not complete in time. The renderer gets no head.
    case headersTooSlow(limit: Duration)
    /// 408: the body came slower than the deadline and minimum rate allow.
    case bodyTooSlow(received: Int, declared: Int?)
    /// 413: `declared` is nil for a chunked body, whose size is known only as it arrives.
    case bodyTooLarge(limit: Int, declared: Int?, received: Int)
    /// 414: the request target as sent, in bytes.
    case targetTooLong(limit: Int, length: Int)
    /// 415
    case contentEncodingUnsupported(String)
    /// 417: an `Expect` other than `100-continue`.
    case expectationFailed(String)
    /// 431: all fields together, in bytes.
    case headersTooLarge(limit: Int, size: Int)
    /// 503: a limit on simultaneous work is reached.
    case busy(FullLimit, retryAfter: Duration)
    /// 503: the server is shutting down.
    case draining(retryAfter: Duration)
    /// 503: other requests hold the memory at the moment.
    case memoryInUse(needed: Int, free: Int, budget: Int, retryAfter: Duration)
    /// 504: the time limit of the client or of the server expired before the answer was ready.
    case deadlineExceeded(limit: Duration)
    /// 507: the request needs more memory than the whole budget.
    case memoryInsufficient(needed: Int, budget: Int)

    package var status: HTTPResponse.Status {
        switch self {
        case .malformed: .badRequest
        case .notFound: .notFound
        case .methodNotAllowed: .methodNotAllowed
        case .headersTooSlow, .bodyTooSlow: .requestTimeout
        case .bodyTooLarge: .contentTooLarge
        case .targetTooLong: .uriTooLong
        case .contentEncodingUnsupported: .unsupportedMediaType
        case .expectationFailed: .expectationFailed
        case .headersTooLarge: .requestHeaderFieldsTooLarge
        case .busy, .draining, .memoryInUse: .serviceUnavailable
        case .deadlineExceeded: .gatewayTimeout
        case .memoryInsufficient: .init(code: 507, reasonPhrase: "Insufficient Storage")
        }
    }

    /// The header fields that the standard requires for this refusal (RFC 9110, sections 10.2.1, 10.2.3 and 15.5.16).
    package var fields: HTTPFields {
        switch self {
        case .methodNotAllowed(_, let allow):
            [.allow: allow.map(\.rawValue).joined(separator: ", ")]
        case .busy(_, let retryAfter), .draining(let retryAfter), .memoryInUse(_, _, _, let retryAfter):
            [.retryAfter: RetryAdvice.seconds(retryAfter)]
        case .contentEncodingUnsupported:
            [.acceptEncoding: "identity"]
        default:
            [:]
        }
    }
}

/// Renders the answer to a refusal, for example as problem+json. It runs on I/O threads and under a connection's lock,
/// so it must be light and must not call the server.
///
/// The head is nil only if no complete one arrived. This module adds ``Refusal/fields`` to the rendered answer and
/// keeps its status.
package typealias RefusalRenderer = @Sendable (Refusal, RequestHead?) -> Response
