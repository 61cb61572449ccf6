package import HTTPTypes

/// The checked head of a request. Everything in it has exactly one meaning.
package struct RequestHead: Sendable {
    package let method: HTTPRequest.Method
    /// Percent-decoded, without the query.
    package let path: String
    /// In the order sent.
    package let query: [QueryItem]
    package let headers: HTTPFields
    package let framing: BodyFraming
    /// The client's `X-Request-ID` if it is 1…128 visible ASCII characters; otherwise a new one.
    package let requestID: String
    /// The client's `X-Request-Timeout`: the time that it will wait, counted from the complete head.
    package let timeout: Duration?

    /// The way in which the end of the body is known.
    package enum BodyFraming: Sendable, Equatable {
        /// Neither `Content-Length` nor `Transfer-Encoding`: no body.
        case none
        case sized(Int)
        case chunked
    }

    /// `Content-Length`; nil for a chunked body and for none.
    package var contentLength: Int? {
        if case .sized(let bytes) = framing { bytes } else { nil }
    }

    /// Whether the client waits for 100-continue before it sends the body.
    var expectsContinue: Bool { headers.contains(.expect) }

    /// The `traceparent` field if it has the form of W3C Trace Context, level 1 (section 3.2).
    package var traceparent: String? {
        guard let value = headers[.traceparent], TraceParent.isValid(value) else { return nil }
        return value
    }

    init(
        method: HTTPRequest.Method, path: String, query: [QueryItem], headers: HTTPFields,
        framing: BodyFraming, timeout: Duration?
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.framing = framing
        self.timeout = timeout
        requestID = headers[.requestID].flatMap { RequestID.isValid($0) ? $0 : nil } ?? RequestID.make()
    }
}

extension HTTPField.Name {
    package static let requestID = literal("X-Request-ID")
    package static let requestTimeout = literal("X-Request-Timeout")
    static let host = literal("Host")

    static func literal(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is not a field name") }
        return name
    }
}
