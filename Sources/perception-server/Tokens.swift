import Logging
import Service

/// The tokens of a running server, and the source from which SIGHUP reloads them.
struct Tokens {
    /// Nil if none is required.
    let accepted: BearerTokens?
    private let source: TokenSource
    private let logger: Logger

    /// - Throws: one line if the tokens are invalid.
    init(file path: String?, environment: String?, logger: Logger) throws {
        self.logger = logger
        do throws(TokenSourceError) {
            source = try TokenSource(path: path, environment: environment)
            let tokens = try source.read()
            accepted = tokens.isEmpty ? nil : BearerTokens(tokens)
        } catch {
            throw failure("\(error)")
        }
        warnOfWriters()
    }

    /// Reloads the tokens from the file. If the file is invalid, the previous tokens stay: a mistake must neither lock
    /// everybody out nor admit anybody.
    func reload() {
        guard let accepted, source.isFile else {
            return logger.notice("nothing to reload: no token file was given")
        }
        do throws(TokenSourceError) {
            let tokens = try source.read()
            accepted.replace(with: tokens)
            logger.notice("tokens reloaded", metadata: ["tokens": .stringConvertible(tokens.count)])
            warnOfWriters()
        } catch {
            logger.error("tokens not reloaded, those before stay", metadata: ["reason": "\(error)"])
        }
    }

    private func warnOfWriters() {
        if source.isWritableByOthers {
            logger.warning("others than its owner may write to the token file, and let themselves in")
        }
    }
}
