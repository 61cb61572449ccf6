/// The reason why a request's head cannot be trusted. The server answers each with 400 and closes the connection.
///
/// Most are harmless alone, but they let two HTTP parsers in a row disagree on where a request ends (request smuggling,
/// RFC 9112 section 11.2), and libmicrohttpd accepts them.
package enum MalformedRequest: Error, Sendable, Equatable {
    case contentLengthWithTransferEncoding
    case contentLengthRepeated(count: Int)
    case contentLengthInvalid(String)
    /// The server understands only `chunked`, once, over HTTP/1.1.
    case transferEncodingUnsupported(String)
    case hostMissing
    case hostRepeated(count: Int)
    case hostInvalid(String)
    case methodInvalid(String)
    case versionUnsupported(String)
    /// The request target is neither a path, an http URI nor `*`.
    case targetInvalid(String)
    /// A `%` without two hexadecimal digits, at this byte of the request target.
    case percentEncodingInvalid(position: Int)
    /// A NUL or another control byte, written out or percent-encoded, or a blank, at this byte of the request
    /// target.
    case controlByte(UInt8, position: Int)
    /// The decoded bytes are not UTF-8.
    case notUTF8(TargetComponent)
    case fieldNameInvalid(String)
    case fieldValueInvalid(name: String)
    /// `X-Request-Timeout` is not a number of seconds.
    case timeoutInvalid(String)

    package enum TargetComponent: String, Sendable {
        case path, query
    }
}
