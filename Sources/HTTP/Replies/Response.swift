package import HTTPTypes

/// An answer: a status, header fields and a body in pieces.
///
/// The pieces go to the socket as they are, neither joined nor copied, so a header and several tensors can stay
/// the arrays they were computed into (more than 256 pieces are joined first). Empty pieces are fine. `Content-Length`, `Date`, `Connection`
/// and `X-Request-ID` are set by the server, and the fields of ``CommonFields`` where they are missing.
package struct Response: Sendable {
    package var status: HTTPResponse.Status
    package var headers: HTTPFields
    package var body: [[UInt8]]
    package var notes = ResponseNotes()
    /// What follows `body`, made while it is sent. The length is then unknown beforehand: HTTP/1.1 clients get chunks.
    package var rest: (any BodySource)?

    /// What follows `body` as it happens; not together with `rest`.
    package var events: EventStream?

    package init(_ status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], body: [[UInt8]] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    package init(_ status: HTTPResponse.Status = .ok, contentType: String, body: [UInt8]) {
        self.init(status, headers: [.contentType: contentType], body: [body])
    }

    package init(
        _ status: HTTPResponse.Status = .ok, text: String, contentType: String = "text/plain; charset=utf-8"
    ) {
        self.init(status, contentType: contentType, body: Array(text.utf8))
    }

    /// Bytes of the body, all pieces together, without the rest.
    package var bodyByteCount: Int {
        body.reduce(0) { $0 + $1.count }
    }
}
