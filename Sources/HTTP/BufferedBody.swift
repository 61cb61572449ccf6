/// A sink that collects the body into one array and hands it on when it is complete.
///
/// Memory is reserved for `contentLength` only after the first `eager` bytes have really arrived: a claim of
/// gigabytes with nothing behind it costs nothing.
///
/// - Complexity: O(body), each byte is copied once, the first `eager` bytes at most twice; without
///   `Content-Length` amortised O(body).
package final class BufferedBody: BodySink {
    /// Reserved on the strength of a `Content-Length` alone.
    static let eager = 4 << 20

    private var bytes: [UInt8] = []
    private let contentLength: Int?
    private let completion: ([UInt8]) -> Outcome

    package init(for head: RequestHead, completion: @escaping ([UInt8]) -> Outcome) {
        contentLength = head.contentLength
        self.completion = completion
        if let contentLength {
            bytes.reserveCapacity(min(contentLength, Self.eager))
        }
    }

    package func receive(_ piece: RawSpan) -> Response? {
        if let contentLength, bytes.count + piece.byteCount > bytes.capacity {
            bytes.reserveCapacity(contentLength)
        }
        unsafe piece.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        return nil
    }

    package func finish() -> Outcome {
        completion(bytes)
    }
}
