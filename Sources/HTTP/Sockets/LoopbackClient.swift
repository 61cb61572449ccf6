import Glibc
package import HTTPTypes

/// A small blocking HTTP/1.1 client on one connection, for health checks and for tests that control every byte on the
/// wire. Every call ends within the timeout.
package final class LoopbackClient {
    package struct Reply: Sendable, Equatable {
        package let status: Int
        package let headers: HTTPFields
        package let body: [UInt8]
    }

    private let socket: Int32
    private let host: String
    private var unread: [UInt8] = []

    package init(connectingTo address: SocketAddress, timeout: Duration = .seconds(10)) throws(ClientError) {
        socket = address.makeSocket()
        guard socket >= 0 else { throw .systemCall("socket", errno: errno) }
        host =
            if case .tcp(let host, _) = address { host.contains(":") ? "[\(host)]" : host } else {
                "localhost"
            }
        Self.setTimeout(timeout, of: socket)
        var yes: Int32 = 1
        unsafe setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        let result: Int32
        do throws(SocketAddress.Flaw) {
            result = try unsafe address.withSystemAddress { unsafe connect(socket, $0, $1) }
        } catch {
            throw .invalidAddress(address, reason: error.reason)
        }
        guard result == 0 else { throw Self.error("connect") }
    }

    /// Sets the timeout of every further call.
    package func setTimeout(_ timeout: Duration) {
        Self.setTimeout(timeout, of: socket)
    }

    private static func setTimeout(_ timeout: Duration, of socket: Int32) {
        let (seconds, attoseconds) = timeout.components
        var limit = timeval(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
        let size = socklen_t(MemoryLayout<timeval>.size)
        unsafe setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        unsafe setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    }

    /// Uses a stream socket that is already connected, and closes it in the end.
    package init(over socket: Int32) {
        self.socket = socket
        host = "localhost"
    }

    deinit {
        close(socket)
    }

    /// Sends a request and reads its reply. The connection stays open for the next one.
    ///
    /// A server may answer and close before it has read the body, so the reply is read even if sending failed.
    package func request(
        _ method: HTTPRequest.Method = .get, _ target: String, headers: HTTPFields = [:], body: [UInt8]? = nil
    ) throws(ClientError) -> Reply {
        var headers = headers
        if let body { headers[.contentLength] = String(body.count) }
        do throws(ClientError) {
            try send(head(method, target, headers), more: body?.isEmpty == false)
            try send(body ?? [])
        } catch .systemCall(_, let number) where number == EPIPE || number == ECONNRESET {
            return try receiveReply(to: method)
        }
        return try receiveReply(to: method)
    }

    /// Sends a request with its body in these chunks (`Transfer-Encoding: chunked`).
    package func upload(
        _ method: HTTPRequest.Method = .post, _ target: String, headers: HTTPFields = [:], chunks: [[UInt8]]
    ) throws(ClientError) -> Reply {
        var headers = headers
        headers[.transferEncoding] = "chunked"
        do throws(ClientError) {
            try send(head(method, target, headers))
            for chunk in chunks where !chunk.isEmpty {
                try send(Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + [0x0D, 0x0A])
            }
            try send("0\r\n\r\n")
        } catch .systemCall(_, let number) where number == EPIPE || number == ECONNRESET {
            return try receiveReply(to: method)
        }
        return try receiveReply(to: method)
    }

    /// Returns the bytes of a request's head, with `Host`.
    package func head(_ method: HTTPRequest.Method, _ target: String, _ headers: HTTPFields = [:]) -> [UInt8]
    {
        var text = "\(method.rawValue) \(target) HTTP/1.1\r\nHost: \(host)\r\n"
        for field in headers { text += "\(field.name.rawName): \(field.value)\r\n" }
        return Array((text + "\r\n").utf8)
    }

    package func send(_ text: String) throws(ClientError) {
        try send(Array(text.utf8))
    }

    /// Sends bytes as they are. With `more`, the kernel may wait for the next call before it sends a packet.
    package func send(_ bytes: [UInt8], more: Bool = false) throws(ClientError) {
        let flags = Int32(MSG_NOSIGNAL) | (more ? Int32(MSG_MORE) : 0)
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { bytes in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[sent...])
                return unsafe Glibc.send(socket, rest.baseAddress, rest.count, flags)
            }
            guard count > 0 else { throw Self.error("send") }
            sent += count
        }
    }

    /// Reads one reply, which may be `100 Continue`.
    package func receiveReply(to method: HTTPRequest.Method = .get) throws(ClientError) -> Reply {
        let end = try waitFor(Array("\r\n\r\n".utf8))
        let lines = String(decoding: unread[..<end], as: UTF8.self).split(separator: "\r\n")
        unread.removeFirst(end + 4)
        let words = lines.first?.split(separator: " ", maxSplits: 2) ?? []
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            throw .malformedReply(String(lines.first ?? ""))
        }
        var headers = HTTPFields()
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":"), let name = HTTPField.Name(String(line[..<colon]))
            else {
                throw .malformedReply(String(line))
            }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            headers.append(HTTPField(name: name, value: String(value)))
        }
        if method == .head || status == 204 || status == 304 || status < 200 {
            return Reply(status: status, headers: headers, body: [])
        }
        if headers[.transferEncoding] == "chunked" {
            return Reply(status: status, headers: headers, body: try receiveChunks())
        }
        guard let length = headers[.contentLength].flatMap({ Int($0) }) else {
            throw .malformedReply("no Content-Length")
        }
        while unread.count < length { try receiveMore() }
        let body = Array(unread[..<length])
        unread.removeFirst(length)
        return Reply(status: status, headers: headers, body: body)
    }

    /// Decodes chunks (RFC 9112, section 7.1) without extensions and trailers, which this server does not send.
    private func receiveChunks() throws(ClientError) -> [UInt8] {
        var body: [UInt8] = []
        while true {
            let end = try waitFor(Array("\r\n".utf8))
            let text = String(decoding: unread[..<end], as: UTF8.self)
            guard let size = Int(text, radix: 16), size >= 0 else {
                throw .malformedReply("a chunk of \(text) bytes")
            }
            let whole = end + 2 + size + 2
            while unread.count < whole { try receiveMore() }
            body += unread[(end + 2)..<(end + 2 + size)]
            unread.removeFirst(whole)
            if size == 0 { return body }
        }
    }

    /// Returns the position of `mark` in what has arrived.
    private func waitFor(_ mark: [UInt8]) throws(ClientError) -> Int {
        while true {
            if let found = unread.firstRange(of: mark) { return found.lowerBound }
            try receiveMore()
        }
    }

    /// Waits until the server closes.
    ///
    /// - Returns: the bytes that arrived before that; empty if there were none.
    package func receiveUntilClosed() throws(ClientError) -> [UInt8] {
        do throws(ClientError) {
            while true { try receiveMore() }
        } catch .closed {
            defer { unread = [] }
            return unread
        }
    }

    /// Waits until at least this number of bytes has arrived, and leaves them to the next reply.
    ///
    /// - Returns: the number of bytes that have arrived and not been read.
    package func receiveSome(atLeast least: Int = 1) throws(ClientError) -> Int {
        while unread.count < least { try receiveMore() }
        return unread.count
    }

    /// Waits for this text and returns everything up to its end. In a streamed reply this includes head and framing.
    package func receive(through mark: String) throws(ClientError) -> String {
        let end = try waitFor(Array(mark.utf8)) + mark.utf8.count
        defer { unread.removeFirst(end) }
        return String(decoding: unread[..<end], as: UTF8.self)
    }

    /// Shuts down the sending half, and continues to receive.
    package func finishSending() {
        shutdown(socket, Int32(SHUT_WR))
    }

    /// Makes this client end with a reset instead of an orderly close.
    package func resetWhenReleased() {
        var option = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(socket, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    private func receiveMore() throws(ClientError) {
        var piece = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe piece.withUnsafeMutableBytes { unsafe recv(socket, $0.baseAddress, $0.count, 0) }
        if count == 0 || (count < 0 && errno == ECONNRESET) { throw .closed(received: unread.count) }
        guard count > 0 else { throw Self.error("recv") }
        unread += piece[..<count]
    }

    private static func error(_ call: String) -> ClientError {
        switch errno {
        case EAGAIN, ETIMEDOUT, EINPROGRESS: .timedOut
        default: .systemCall(call, errno: errno)
        }
    }
}
