import HTTP

/// An encoding of the tensors in a body.
enum TensorEncoding: Sendable {
    case json, safetensors

    /// The media types that operations on tensors read and write, the one for JSON first.
    static let mediaTypes: [MediaType] = [.json, .safetensors, .bytes]

    /// The encoding of a request's body.
    init(ofBody head: RequestHead) { self = head.mediaType == .json ? .json : .safetensors }

    /// The encoding of a request's reply: the one that Accept prefers, by default that of the body.
    init(ofReply head: RequestHead, to body: TensorEncoding) {
        let offers: [MediaType] =
            switch body {
            case .json: TensorEncoding.mediaTypes
            case .safetensors: [.safetensors, .bytes, .json]
            }
        self.init(ofReply: head, offers: offers)
    }

    /// - Parameter offers: the default first; see ``preferredMediaType(_:offers:)``.
    init(ofReply head: RequestHead, offers: [MediaType]) {
        self = preferredMediaType(head.headers, offers: offers) == .json ? .json : .safetensors
    }

    func response(_ reply: TensorReply) -> Response {
        switch self {
        case .json: reply.json()
        case .safetensors: reply.safetensors()
        }
    }
}
