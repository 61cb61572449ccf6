import Glibc
import HTTPTypes

/// A request's first line as libmicrohttpd supplies it, unchecked.
@safe
struct RequestLine {
    private let method: String
    private let target: [UInt8]
    private let version: String
    private let hasNUL: Bool
    /// The first byte of the line in the library's buffer, and the byte after its last.
    private let start: UnsafeRawPointer?
    private let end: UnsafeRawPointer?

    /// - Parameters:
    ///   - url: the library's target, in the buffer that held the request line.
    ///   - version: after `url` and one NUL in the same buffer.
    ///   - target: copied when the line arrived, up to its first NUL.
    @unsafe
    init(
        method: UnsafePointer<CChar>?, url: UnsafePointer<CChar>?, version: UnsafePointer<CChar>?,
        target: [UInt8]
    ) {
        self.method = unsafe method.map { unsafe String(cString: $0) } ?? ""
        self.version = unsafe version.map { unsafe String(cString: $0) } ?? ""
        self.target = target
        unsafe start = UnsafeRawPointer(method)
        unsafe end = version.map { unsafe UnsafeRawPointer($0) + strlen($0) }
        // The library's strings end at a NUL that the client may have sent. Only the distance between these two reveals
        // it. A path must not mean one thing here and another in a proxy's log.
        if let url = unsafe url, let version = unsafe version, !self.version.isEmpty {
            let length = unsafe UnsafeRawPointer(version) - UnsafeRawPointer(url) - 1
            hasNUL = length != target.count
        } else {
            hasNUL = false
        }
    }

    /// Returns the checked head, or what can be salvaged of it and the reason to reject it.
    func head(_ connection: DaemonConnection, limits: ServerConfiguration) -> (RequestHead, Refusal?) {
        let (headers, flaw) = unsafe connection.fields(
            limit: limits.maxHeaderBytes, from: start, after: end)
        let text = String(decoding: target, as: UTF8.self)
        let refusal: Refusal
        if target.count > limits.maxTargetBytes {
            refusal = .targetTooLong(limit: limits.maxTargetBytes, length: target.count)
        } else if hasNUL {
            refusal = .malformed(.controlByte(0, position: target.count))
        } else if let flaw {
            refusal = flaw
        } else {
            do throws(MalformedRequest) {
                return (
                    try RequestHead(method: method, target: target, version: version, headers: headers), nil
                )
            } catch {
                refusal = .malformed(error)
            }
        }
        return (RequestHead(salvagingFrom: method, target: text, headers: headers), refusal)
    }
}
