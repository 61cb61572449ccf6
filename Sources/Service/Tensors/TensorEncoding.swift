import HTTP

/// The two encodings of tensors: which one a request has and which one its reply gets.
struct TensorEncoding {
    private let isJSON: Bool
    private let repliesJSON: Bool

    static let mediaTypes = ["application/json", "application/x-safetensors", "application/octet-stream"]

    init(_ head: RequestHead) {
        isJSON = head.mediaType == "application/json"
        let offers =
            isJSON
            ? TensorEncoding.mediaTypes
            : ["application/x-safetensors", "application/octet-stream", "application/json"]
        repliesJSON = preferredMediaType(head.headers, offers: offers) == "application/json"
    }

    func request(_ bytes: [UInt8], schema: TensorSchema) throws(Problem) -> TensorRequest {
        isJSON
            ? try TensorRequest(json: bytes, schema: schema)
            : try TensorRequest(safetensors: bytes, schema: schema)
    }

    func response(_ reply: TensorReply) -> Response { repliesJSON ? reply.json() : reply.safetensors() }
}
