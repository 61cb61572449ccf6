import HTTPTypes

/// Decides on a request when its header is complete, by the same rules for sockets and for ``Router/respond``.
enum Admission {
    case refused(Refusal, Route?)
    case answered(Response, Route?)
    case open(any BodySink, Route, limit: Int)
}

extension Router {
    func admit(_ head: RequestHead, maxBodyBytes: Int) -> Admission {
        let resolution = resolve(head.method, head.path)
        if let response = gate(head) {
            guard case .matched(let route) = resolution else { return .answered(response, nil) }
            return .answered(response, route)
        }
        let route: Route
        switch resolution {
        case .matched(let match): route = match
        case .notFound: return .refused(.notFound(path: head.path), nil)
        case .methodNotAllowed(let allow): return .refused(.methodNotAllowed(head.method, allow: allow), nil)
        case .options(let allow):
            return .answered(
                Response(.noContent, headers: [.allow: allow.map(\.rawValue).joined(separator: ", ")]), nil)
        }
        let encoding = head.headers[.contentEncoding]
        if let encoding, !encoding.isEmpty, encoding.lowercased() != "identity" {
            return .refused(.contentEncodingUnsupported(encoding), route)
        }
        if let expectation = head.headers[.expect], expectation.lowercased() != "100-continue" {
            return .refused(.expectationFailed(expectation), route)
        }
        switch route.open(head) {
        case .reply(let response): return .answered(response, route)
        case .sink(let sink):
            let limit = sink.maxBodyBytes ?? route.maxBodyBytes ?? maxBodyBytes
            if let declared = head.contentLength, declared > limit {
                return .refused(.bodyTooLarge(limit: limit, declared: declared, received: 0), route)
            }
            return .open(sink, route, limit: limit)
        }
    }
}

extension Refusal {
    /// Returns the renderer's answer with the required fields.
    func response(_ render: RefusalRenderer, _ head: RequestHead?) -> Response {
        var response = render(self, head)
        for field in fields where !response.headers.contains(field.name) {
            response.headers.append(field)
        }
        return response
    }
}
