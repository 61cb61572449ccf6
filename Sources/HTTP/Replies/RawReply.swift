import Glibc
import HTTPTypes

/// An answer as bytes on the wire, for moments in which libmicrohttpd accepts none: in the middle of a body, or on
/// another thread when a client is too slow. The connection closes after it. It is never used over TLS, because only
/// the library can encrypt.
struct RawReply {
    let bytes: [UInt8]

    init(_ response: Response, omittingBody: Bool) {
        var text = "HTTP/1.1 \(response.status.code) \(response.status.reasonPhrase)\r\n"
        for field in response.headers {
            text += "\(field.name.rawName): \(field.value)\r\n"
        }
        text +=
            "Date: \(Self.date())\r\nConnection: close\r\nContent-Length: \(response.bodyByteCount)\r\n\r\n"
        var bytes = Array(text.utf8)
        if !omittingBody {
            for piece in response.body { bytes += piece }
        }
        self.bytes = bytes
    }

    /// Writes the reply to the socket without blocking, and shuts down the sending half.
    ///
    /// - Returns: whether the kernel accepted all of it. Refusals are short enough.
    func send(to socket: Int32) -> Bool {
        let flags = Int32(MSG_DONTWAIT | MSG_NOSIGNAL)
        let sent = unsafe bytes.withUnsafeBytes { unsafe Glibc.send(socket, $0.baseAddress, $0.count, flags) }
        shutdown(socket, Int32(SHUT_WR))
        return sent == bytes.count
    }

    /// RFC 9110, section 5.6.7. The process keeps the C locale, so names are English.
    private static func date() -> String {
        var now = time(nil)
        var parts = unsafe tm()
        unsafe gmtime_r(&now, &parts)
        return unsafe String(unsafeUninitializedCapacity: 40) { buffer in
            unsafe buffer.withMemoryRebound(to: CChar.self) { characters in
                guard let start = characters.baseAddress else { return 0 }
                return unsafe strftime(start, characters.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
            }
        }
    }
}
