import HTTP

/// The two encodings of tensors: which one a request has and which one its reply gets.
struct TensorEncoding {
    let isJSON: Bool
    let repliesJSON: Bool

    static let mediaTypes: [MediaType] = [.json, .safetensors, .bytes]

    init(_ head: RequestHead) {
        isJSON = head.mediaType == .json
        let offers = isJSON ? TensorEncoding.mediaTypes : [.safetensors, .bytes, .json]
        repliesJSON = preferredMediaType(head.headers, offers: offers) == .json
    }

    func response(_ reply: TensorReply) -> Response { repliesJSON ? reply.json() : reply.safetensors() }
}
