import CMicroHTTPD
import Text

/// The server's TLS identity: a certificate chain and the private key of its first certificate, as PEM text.
///
/// This type checks only their form. The library checks whether they are valid and match when the server starts: see
/// ``TLSError/refused(certificate:key:reason:)``.
package struct TLSIdentity: Sendable {
    let certificateFile: String
    let keyFile: String
    /// Ends with the NUL that the library needs, as the key does.
    let certificate: [CChar]
    let key: [CChar]
    /// Whether every user of this machine may read the key.
    package let isKeyExposed: Bool

    /// Reads both files. They are not read again, so new files need a new server.
    package init(certificateFile: String, keyFile: String) throws(TLSError) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        let chain = try PEMFile(certificateFile)
        guard chain.text.contains("-----BEGIN CERTIFICATE-----") else {
            throw .noCertificate(certificateFile)
        }
        let secret = try PEMFile(keyFile)
        // Encrypted keys in PKCS #8 (RFC 7468, section 11) and in OpenSSL's older form (RFC 1421, section 4.6.1.1).
        let encrypted = ["-----BEGIN ENCRYPTED PRIVATE KEY-----", "Proc-Type: 4,ENCRYPTED"]
        guard !encrypted.contains(where: secret.text.contains) else { throw .keyEncrypted(keyFile) }
        guard secret.text.contains("PRIVATE KEY-----") else { throw .noKey(keyFile) }
        certificate = chain.characters
        key = secret.characters
        isKeyExposed = secret.isReadableByAll
    }

    /// Whether the library of this machine was built with TLS.
    package static var isSupported: Bool { micro_httpd_supports_tls() }
}

/// A small text file, and whether everyone may read it.
private struct PEMFile {
    let characters: [CChar]
    let isReadableByAll: Bool

    /// The size limit, longer than any chain.
    private static let longest = 1 << 20

    var text: String { String(decoding: characters.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self) }

    init(_ path: String) throws(TLSError) {
        let file: RegularFile
        do throws(RegularFile.Failure) {
            file = try RegularFile(path, limit: Self.longest)
        } catch {
            switch error {
            case .unreadable(let number): throw .unreadable(path, errno: number)
            case .notRegular: throw .notAFile(path)
            case .tooLarge: throw .notText(path)
            }
        }
        guard !file.bytes.contains(0) else { throw .notText(path) }
        characters = file.bytes.map(CChar.init(bitPattern:)) + [0]
        isReadableByAll = file.isReadableByAll
    }
}
