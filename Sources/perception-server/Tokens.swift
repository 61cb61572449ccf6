import Logging
import Service

/// The tokens of a running server, and where others come from when SIGHUP says so.
struct Tokens {
    /// nil when none is asked for.
    let accepted: BearerTokens?
    private let source: TokenSource
    private let logger: Logger

    /// - Throws: one line when there is something wrong with them.
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

    /// Takes the tokens that the file holds now. When there is anything wrong with it, those that were taken stay: a
    /// mistake must neither lock everybody out nor let anybody in.
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
