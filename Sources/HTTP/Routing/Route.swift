package import HTTPTypes

/// One endpoint: a method on a path, and what to do with requests for it.
package struct Route: Sendable {
    package let method: HTTPRequest.Method
    /// Exact, or with one segment in braces; see ``PathTemplate``. Observers are told of the route by this text.
    package let path: String
    /// Whether the segment in braces may be several, with slashes between them.
    let spansSegments: Bool
    /// Replaces ``ServerConfiguration/maxBodyBytes`` for this route.
    package let maxBodyBytes: Int?
    /// Called when the head is complete, on an I/O thread: must be light.
    package let open: @Sendable (RequestHead) -> Opening

    package init(
        _ method: HTTPRequest.Method, _ path: String, maxBodyBytes: Int? = nil,
        spansSegments: Bool = false,
        open: @escaping @Sendable (RequestHead) -> Opening
    ) {
        self.method = method
        self.path = path
        self.spansSegments = spansSegments
        self.maxBodyBytes = maxBodyBytes
        self.open = open
    }
}

/// What a route makes of a head.
package enum Opening {
    /// The body is wanted.
    case sink(any BodySink)
    /// The answer is known without the body.
    case reply(Response)
}
