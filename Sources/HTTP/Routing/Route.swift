package import HTTPTypes

/// An endpoint: a method on a path, and the function that opens its requests.
package struct Route: Sendable {
    package let method: HTTPRequest.Method
    /// The path, exact or with one segment in braces; see ``PathTemplate``. Observers identify the route by this text.
    package let path: String
    /// Whether the segment in braces may match several, with slashes between them.
    let spansSegments: Bool
    /// Replaces ``ServerConfiguration/maxBodyBytes`` for this route.
    package let maxBodyBytes: Int?
    /// Called on an I/O thread when the head is complete. Must be light.
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

/// The decision of a route on a head.
package enum Opening {
    /// Reads the body into this sink.
    case sink(any BodySink)
    /// Answers without the body.
    case reply(Response)
}
