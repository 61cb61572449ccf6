package import HTTPTypes

/// An answer: a status, header fields and a body in pieces.
///
/// The pieces go to the socket without being joined or copied, so a header and several tensors can stay in the arrays
/// in which they were computed. More than 256 pieces are joined first. Pieces may be empty. The server sets
/// `Content-Length`, `Date`, `Connection` and `X-Request-ID`, and adds the fields of ``CommonFields`` that are missing.
package struct Response: Sendable {
    package var status: HTTPResponse.Status
    package var headers: HTTPFields
    package var body: [[UInt8]]
    package var notes = ResponseNotes()
    /// The source of pieces that follow `body`, made while it is sent. The length is then unknown, so HTTP/1.1 clients
    /// receive chunks.
    package var rest: (any BodySource)?

    /// The events that follow `body` as they happen. Excludes `rest`.
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

    /// The number of bytes in all pieces of `body`.
    package var bodyByteCount: Int {
        body.reduce(0) { $0 + $1.count }
    }
}
