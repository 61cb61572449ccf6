import CMicroHTTPD
import HTTPTypes

/// Converts answers to responses of libmicrohttpd.
enum DaemonResponse {
    /// A body of more pieces is joined, because the library keeps 16 bytes for each in the connection's memory.
    private static let mostPieces = 256

    /// - Returns: nil if the system is out of memory. Otherwise destroy the response after queueing it.
    @unsafe
    static func make(_ response: Response, closing: Bool) -> OpaquePointer? {
        let body = Body(response.body.count > mostPieces ? [Array(response.body.joined())] : response.body)
        let retained = unsafe Unmanaged.passRetained(body)
        let vectors = unsafe body.vectors
        let made = unsafe vectors.withUnsafeBufferPointer { vectors in
            unsafe MHD_create_response_from_iovec(
                vectors.baseAddress, UInt32(vectors.count), releaseBody, retained.toOpaque())
        }
        guard let made = unsafe made else {
            unsafe retained.release()
            return nil
        }
        unsafe addHeaders(of: response, closing: closing, to: made)
        return unsafe made
    }

    /// Makes an answer that reads its body from `stream`.
    ///
    /// - Parameter length: the length of the body; nil if unknown.
    /// - Returns: nil when the system is out of memory; otherwise destroy it after queueing.
    @unsafe
    static func make(
        _ response: Response, streaming stream: any StreamedBody, length: Int?, closing: Bool
    ) -> OpaquePointer? {
        let reader = unsafe Unmanaged.passRetained(Reader(stream))
        let made = unsafe MHD_create_response_from_callback(
            length.map(UInt64.init) ?? UInt64.max, stream.blockBytes, readStream, reader.toOpaque(),
            releaseStream)
        guard let made = unsafe made else {
            unsafe reader.release()
            return nil
        }
        unsafe addHeaders(of: response, closing: closing, to: made)
        return unsafe made
    }

    /// A stream that breaks shuts its socket down and then supplies one more byte, which the library fails to send.
    ///
    /// If the stream reported an error instead, version 0.9.75 would mark the connection as closed and forget it. A
    /// connection outside the epoll set, such as one that was suspended, would then keep its socket open as long as the
    /// thread has an older connection.
    private static let readStream: MHD_ContentReaderCallback = { context, _, buffer, room in
        guard let context = unsafe context, let buffer = unsafe buffer, room > 0 else {
            return micro_httpd_stream_error
        }
        let stream = unsafe Unmanaged<Reader>.fromOpaque(context).takeUnretainedValue().body
        switch unsafe stream.next(into: UnsafeMutableRawBufferPointer(start: buffer, count: room)) {
        case .bytes(let count): return count
        case .nothingYet: return 0
        case .end: return micro_httpd_stream_end
        case .broken:
            unsafe buffer.pointee = 0
            return 1
        }
    }

    private static let releaseStream: MHD_ContentReaderFreeCallback = { context in
        guard let context = unsafe context else { return }
        unsafe Unmanaged<Reader>.fromOpaque(context).takeRetainedValue().body.cancel()
    }

    private static func addHeaders(of response: Response, closing: Bool, to made: OpaquePointer) {
        for field in response.headers where !isSetByLibrary(field.name) {
            unsafe MHD_add_response_header(made, field.name.rawName, field.value)
        }
        if closing { unsafe MHD_add_response_header(made, "Connection", "close") }
    }

    private static func isSetByLibrary(_ name: HTTPField.Name) -> Bool {
        name == .contentLength || name == .transferEncoding || name == .connection
    }

    /// Keeps the pieces alive until the library has sent them.
    ///
    /// Swift keeps an array's elements in one heap block that neither moves nor disappears while the array is held
    /// and unchanged. `pieces` never changes, so its addresses remain valid as long as this object lives.
    private final class Body: Sendable {
        private let pieces: [[UInt8]]

        init(_ pieces: [[UInt8]]) {
            self.pieces = pieces
        }

        @unsafe
        var vectors: [MHD_IoVec] {
            var vectors = unsafe [MHD_IoVec]()
            unsafe vectors.reserveCapacity(pieces.count)
            for piece in pieces where !piece.isEmpty {
                unsafe piece.withUnsafeBytes { bytes in
                    unsafe vectors.append(MHD_IoVec(iov_base: bytes.baseAddress, iov_len: bytes.count))
                }
            }
            return unsafe vectors
        }
    }

    /// The object through which the library reads a streamed body.
    private final class Reader: Sendable {
        let body: any StreamedBody

        init(_ body: any StreamedBody) {
            self.body = body
        }
    }

    private static let releaseBody: MHD_ContentReaderFreeCallback = { context in
        guard let context = unsafe context else { return }
        unsafe Unmanaged<Body>.fromOpaque(context).release()
    }
}
