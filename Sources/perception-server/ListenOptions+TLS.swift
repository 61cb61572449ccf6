import HTTP
import Logging

extension ListenOptions {
    /// - Throws: one line if a file cannot be used.
    func tlsIdentity(warning logger: Logger) throws -> TLSIdentity? {
        guard let files = try tlsFiles() else { return nil }
        do throws(TLSError) {
            let identity = try TLSIdentity(certificateFile: files.certificate, keyFile: files.key)
            if identity.isKeyExposed {
                logger.warning(
                    "everyone on this machine may read the TLS key", metadata: ["file": "\(files.key)"])
            }
            return identity
        } catch {
            throw failure("\(error)")
        }
    }
}
