import HTTP

/// The two encodings of tensors: which one a request has and which one its reply gets.
struct TensorEncoding {
    let isJSON: Bool
    let repliesJSON: Bool

    static let mediaTypes = ["application/json", "application/x-safetensors", "application/octet-stream"]

    init(_ head: RequestHead) {
        isJSON = head.mediaType == "application/json"
        let offers =
            isJSON
            ? TensorEncoding.mediaTypes
            : ["application/x-safetensors", "application/octet-stream", "application/json"]
        repliesJSON = preferredMediaType(head.headers, offers: offers) == "application/json"
    }

    func response(_ reply: TensorReply) -> Response { repliesJSON ? reply.json() : reply.safetensors() }
}
