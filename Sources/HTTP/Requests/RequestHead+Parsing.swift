package import HTTPTypes

/// The versions this server speaks.
package enum HTTPVersion: String, Sendable {
    case http10 = "HTTP/1.0"
    case http11 = "HTTP/1.1"
}

extension RequestHead {
    /// Checks a head as it arrived and parses it in the only possible way.
    ///
    /// - Parameters:
    ///   - target: as sent, e.g. `/v1/score?preset=cppo-verl`.
    ///   - headers: all fields, with repetitions.
    /// - Throws: the first reason found to reject it (RFC 9112, sections 3.2, 6.1, 6.3 and 11.2).
    package init(
        method: String = "GET", target: String, version: String = HTTPVersion.http11.rawValue,
        headers: HTTPFields
    ) throws(MalformedRequest) {
        try self.init(method: method, target: Array(target.utf8), version: version, headers: headers)
    }

    init(
        method: String, target: [UInt8], version: String, headers: HTTPFields
    ) throws(MalformedRequest) {
        guard let method = HTTPRequest.Method(rawValue: method) else { throw .methodInvalid(method) }
        guard let version = HTTPVersion(rawValue: version) else { throw .versionUnsupported(version) }
        let target = try RequestTarget(parsing: target)
        if target.path == "*", method != .options { throw .targetInvalid("*") }
        try Self.checkHost(headers[values: .host], version: version)
        let framing = try BodyFraming(
            contentLengths: headers[values: .contentLength],
            transferEncodings: headers[values: .transferEncoding], version: version)
        self.init(
            method: method, path: target.path, query: target.query, headers: headers, framing: framing,
            timeout: try headers[.requestTimeout].map(RequestHead.timeout))
    }

    /// Creates the head of a rejected request, with what a log line and a problem report need. Whether it has a body is
    /// unknown.
    init(salvagingFrom method: String, target: String, headers: HTTPFields) {
        let mayHaveBody = headers.contains(.contentLength) || headers.contains(.transferEncoding)
        self.init(
            method: HTTPRequest.Method(rawValue: method) ?? .get, path: String(target.prefix { $0 != "?" }),
            query: [], headers: headers, framing: mayHaveBody ? .chunked : .none, timeout: nil)
    }

    /// Parses seconds: up to nine digits, optionally a point and up to nine more. The value must be greater than 0.
    private static func timeout(_ text: String) throws(MalformedRequest) -> Duration {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let isNumber =
            parts.count <= 2
            && parts.allSatisfy { part in
                (1...9).contains(part.count) && part.allSatisfy { (0x30...0x39).contains($0) }
            }
        guard isNumber, let seconds = Double(text), seconds > 0 else { throw .timeoutInvalid(text) }
        return .seconds(seconds)
    }

    private static func checkHost(_ hosts: [String], version: HTTPVersion) throws(MalformedRequest) {
        if hosts.count > 1 { throw .hostRepeated(count: hosts.count) }
        guard let host = hosts.first else {
            if version == .http11 { throw .hostMissing }
            return
        }
        // An empty Host is legitimate (RFC 9110, section 7.2); a comma, blank or slash means two hosts or a path.
        let isPlausible = host.utf8.allSatisfy {
            $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "/")
                && $0 != UInt8(ascii: "@")
        }
        if !isPlausible { throw .hostInvalid(host) }
    }
}

extension RequestHead.BodyFraming {
    fileprivate init(
        contentLengths: [String], transferEncodings: [String], version: HTTPVersion
    ) throws(MalformedRequest) {
        if !transferEncodings.isEmpty {
            if !contentLengths.isEmpty { throw .contentLengthWithTransferEncoding }
            guard transferEncodings.count == 1, transferEncodings[0].lowercased() == "chunked",
                version == .http11
            else { throw .transferEncodingUnsupported(transferEncodings.joined(separator: ", ")) }
            self = .chunked
            return
        }
        if contentLengths.count > 1 { throw .contentLengthRepeated(count: contentLengths.count) }
        guard let text = contentLengths.first else {
            self = .none
            return
        }
        let isDigits = !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        guard isDigits, let bytes = Int(text) else { throw .contentLengthInvalid(text) }
        self = .sized(bytes)
    }
}
