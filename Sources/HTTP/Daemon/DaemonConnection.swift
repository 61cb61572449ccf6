import CMicroHTTPD
import HTTPTypes

/// libmicrohttpd's handle on a connection.
///
/// Sendable because the two functions used on it may be called from any thread while the connection exists;
/// ``Connection`` guarantees that.
@safe
struct DaemonConnection: @unchecked Sendable {
    private let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    var socket: Int32 { unsafe micro_httpd_connection_socket(pointer) }

    /// The client's IP address, or `unix`: taken from the socket, never from header fields.
    var client: String? {
        guard let address = unsafe micro_httpd_connection_address(pointer) else { return nil }
        return unsafe SocketAddress.hostText(of: address)
    }

    /// Wakes a suspended connection's I/O thread.
    func resume() {
        unsafe MHD_resume_connection(pointer)
    }

    /// Call on the connection's I/O thread, inside the request handler.
    func suspend() {
        unsafe MHD_suspend_connection(pointer)
    }

    /// Returns the header fields as sent, and the first reason to reject them: a name or value outside RFC 9110,
    /// section 5, or more than `limit` bytes in all.
    ///
    /// The library's strings end at a NUL that the client may have sent, and it ends the head at a line that begins
    /// with a colon or a NUL, so that the rest becomes another request. Only the addresses of the strings reveal this:
    /// each line must begin two bytes after the end of the previous one, and the blank line must follow the last.
    ///
    /// - Parameters:
    ///   - start: the request line's first byte.
    ///   - lineEnd: the byte after its last, in the same buffer.
    @unsafe
    func fields(limit: Int, from start: UnsafeRawPointer?, after lineEnd: UnsafeRawPointer?) -> (
        HTTPFields, Refusal?
    ) {
        var collector = unsafe FieldCollector(end: lineEnd)
        _ = unsafe withUnsafeMutablePointer(to: &collector) { collector in
            unsafe MHD_get_connection_values_n(pointer, .HEADER_KIND, collectField, collector)
        }
        if let start = unsafe start {
            unsafe collector.finish(at: start + micro_httpd_head_size(pointer))
        }
        if collector.size > limit {
            return (collector.fields, .headersTooLarge(limit: limit, size: collector.size))
        }
        return (collector.fields, collector.flaw.map(Refusal.malformed))
    }

    /// Gives the answer to the library.
    ///
    /// - Returns: false if the library accepts no answer in this state.
    func queue(_ response: Response, closing: Bool) -> Bool {
        guard let answer = unsafe DaemonResponse.make(response, closing: closing) else { return false }
        return unsafe queue(answer, response.status)
    }

    /// Gives the library an answer with a streamed body.
    /// - Parameter length: the length of the whole body; nil if unknown.
    func queue(_ response: Response, then stream: any StreamedBody, length: Int?, closing: Bool) -> Bool {
        guard
            let answer = unsafe DaemonResponse.make(
                response, streaming: stream, length: length, closing: closing)
        else { return false }
        return unsafe queue(answer, response.status)
    }

    private func queue(_ answer: OpaquePointer, _ status: HTTPResponse.Status) -> Bool {
        defer { unsafe MHD_destroy_response(answer) }
        return unsafe MHD_queue_response(pointer, UInt32(status.code), answer) == .YES
    }
}

@safe
private struct FieldCollector {
    var fields = HTTPFields()
    var flaw: MalformedRequest?
    var size = 0
    /// The byte after the text of the last line, where its CR was.
    private var end: UnsafeRawPointer?
    private var lastName = ""

    @unsafe
    init(end: UnsafeRawPointer?) {
        unsafe self.end = end
    }

    /// Checks that the library read the previous line to its end.
    mutating func lineBegins(at name: UnsafeRawPointer?, endsAt next: UnsafeRawPointer?, named: String) {
        if let end = unsafe end, let name = unsafe name, unsafe name != end + 2 {
            flaw = flaw ?? .fieldValueInvalid(name: lastName)
        }
        unsafe end = next
        lastName = named
    }

    /// Checks the same for the last line and the blank line after it.
    mutating func finish(at headEnd: UnsafeRawPointer) {
        if let end = unsafe end, unsafe end + 4 != headEnd {
            flaw = flaw ?? .fieldValueInvalid(name: lastName)
        }
    }
}

private func collectField(
    _ context: UnsafeMutableRawPointer?, _ kind: MHD_ValueKind, _ name: UnsafePointer<CChar>?,
    _ nameLength: Int,
    _ value: UnsafePointer<CChar>?, _ valueLength: Int
) -> MHD_Result {
    guard let context = unsafe context else { return .NO }
    let collector = unsafe context.assumingMemoryBound(to: FieldCollector.self)
    let nameBytes = unsafe UnsafeRawBufferPointer(start: name, count: name == nil ? 0 : nameLength)
    let valueBytes = unsafe UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : valueLength)
    unsafe collector.pointee.add(name: nameBytes, value: valueBytes)
    return .YES
}

extension FieldCollector {
    fileprivate mutating func add(name: UnsafeRawBufferPointer, value untrimmed: UnsafeRawBufferPointer) {
        // ": " and the line's end count as well.
        size += name.count + untrimmed.count + 4
        let nameText = unsafe String(decoding: name, as: UTF8.self)
        unsafe lineBegins(
            at: name.baseAddress, endsAt: untrimmed.baseAddress.map { unsafe $0 + untrimmed.count },
            named: nameText)
        guard !nameText.isEmpty, let fieldName = HTTPField.Name(nameText) else {
            flaw = flaw ?? .fieldNameInvalid(String(nameText.prefix(80)))
            return
        }
        // Blanks after a value do not belong to it (RFC 9112, section 5.1). The fields that determine the end of the
        // body are the exception: the library has read them with their blanks, and both readings must agree.
        let decidesTheBody = fieldName == .transferEncoding || fieldName == .contentLength
        let value = unsafe decidesTheBody ? untrimmed : withoutTrailingBlanks(untrimmed)
        if unsafe !HTTPField.isValidValue(value) { flaw = flaw ?? .fieldValueInvalid(name: nameText) }
        // Invalid fields are kept, cleaned: refusing the request well requires knowing whether it has a body.
        fields.append(unsafe HTTPField(name: fieldName, value: value))
    }
}

private func withoutTrailingBlanks(_ value: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    var end = value.count
    while end > 0, unsafe value[end - 1] == 0x20 || value[end - 1] == 0x09 { end -= 1 }
    return unsafe UnsafeRawBufferPointer(rebasing: value[..<end])
}
