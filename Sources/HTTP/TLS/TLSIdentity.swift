import CMicroHTTPD
import Glibc

/// Who the server is to its TLS clients: a certificate chain and the private key of its first certificate, as PEM text.
///
/// Only their form is looked at here. Whether they are sound and belong together is the library's to say when the
/// server starts: see ``TLSError/refused(certificate:key:reason:)``.
package struct TLSIdentity: Sendable {
    let certificateFile: String
    let keyFile: String
    /// With the NUL that ends them for the library, as the key.
    let certificate: [CChar]
    let key: [CChar]
    /// Whether every user of this machine may read the key.
    package let isKeyExposed: Bool

    /// Reads both files. They are not looked at again: new ones need a new server.
    package init(certificateFile: String, keyFile: String) throws(TLSError) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        let chain = try PEMFile(certificateFile)
        guard chain.text.contains("-----BEGIN CERTIFICATE-----") else {
            throw .noCertificate(certificateFile)
        }
        let secret = try PEMFile(keyFile)
        // As PKCS #8 (RFC 7468, section 11) and as OpenSSL wrote it before (RFC 1421, section 4.6.1.1).
        let encrypted = ["-----BEGIN ENCRYPTED PRIVATE KEY-----", "Proc-Type: 4,ENCRYPTED"]
        guard !encrypted.contains(where: secret.text.contains) else { throw .keyEncrypted(keyFile) }
        guard secret.text.contains("PRIVATE KEY-----") else { throw .noKey(keyFile) }
        certificate = chain.characters
        key = secret.characters
        isKeyExposed = secret.isReadableByAll
    }

    /// Whether the library of this machine was built with TLS.
    package static var isSupported: Bool { perception_supports_tls() }
}

/// A small text file and who may read it.
private struct PEMFile {
    let characters: [CChar]
    let isReadableByAll: Bool

    /// Longer than any chain.
    private static let longest = 1 << 20

    var text: String { String(decoding: characters.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self) }

    init(_ path: String) throws(TLSError) {
        // Not blocking: opening a pipe would wait for its writer, and SIGTERM with it.
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw .unreadable(path, errno: errno) }
        defer { close(file) }
        var status = stat()
        guard unsafe fstat(file, &status) == 0 else { throw .unreadable(path, errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile(path) }
        isReadableByAll = status.st_mode & S_IROTH != 0
        var characters = [CChar](repeating: 0, count: Self.longest + 1)
        var length = 0
        while length < characters.count {
            let count = unsafe characters.withUnsafeMutableBytes { bytes in
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[length...])
                return unsafe read(file, room.baseAddress, room.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .unreadable(path, errno: errno) }
            if count == 0 { break }
            length += count
        }
        guard length <= Self.longest, !characters[..<length].contains(0) else { throw .notText(path) }
        self.characters = Array(characters[...length])
    }
}
