import Glibc

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
            askForHugePages()
        }
        unsafe piece.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        return nil
    }

    package func finish() -> Outcome {
        // Handed over and not shared, so that the endpoint may change it in place and frees it when done.
        let whole = bytes
        bytes = []
        return completion(whole)
    }

    /// A large body is touched for the first time as it arrives. In pages of 4 KiB that costs about as much as
    /// receiving it; where the kernel leaves huge pages to those who ask (`madvise` mode), this asks.
    private func askForHugePages() {
        let size = bytes.capacity
        unsafe bytes.withUnsafeMutableBytes { memory in
            guard let start = memory.baseAddress else { return }
            let page = 1 << 21
            let first = unsafe UnsafeMutableRawPointer(
                bitPattern: (UInt(bitPattern: start) + UInt(page) - 1) & ~UInt(page - 1))
            guard let first = unsafe first else { return }
            let length = unsafe size - (first - start)
            if length >= page { unsafe madvise(first, length, MADV_HUGEPAGE) }
        }
    }
}
