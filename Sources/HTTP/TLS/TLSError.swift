/// The reason why a server cannot use TLS as configured. The description is one line for people and never contains the
/// content of a file.
package enum TLSError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The system's libmicrohttpd was built without TLS.
    case unsupported
    case unreadable(String, errno: Int32)
    /// The path is a folder, pipe or device.
    case notAFile(String)
    /// The file is longer than a megabyte, or contains NUL bytes, as DER and PKCS #12 files do.
    case notText(String)
    case noCertificate(String)
    case noKey(String)
    case keyEncrypted(String)
    /// GnuTLS refused them; `reason` is its message, for example that the two do not match.
    case refused(certificate: String, key: String, reason: String)

    package var description: String {
        switch self {
        case .unsupported: "this system's libmicrohttpd has no TLS: leave the certificate out"
        case .unreadable(let path, let errno): "cannot read \(path) for TLS: \(SystemError.text(errno))"
        case .notAFile(let path): "cannot read \(path) for TLS: it is no regular file"
        case .notText(let path): "\(path) is not a PEM file"
        case .noCertificate(let path): "\(path) holds no certificate in PEM form"
        case .noKey(let path): "\(path) holds no private key in PEM form"
        case .keyEncrypted(let path):
            "the private key in \(path) is encrypted, and the server cannot ask for its password: openssl pkey -in \(path) decrypts it"
        case .refused(let certificate, let key, let reason):
            "cannot use the certificate \(certificate) with the key \(key): \(reason)"
        }
    }
}
