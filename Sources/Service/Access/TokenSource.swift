import Glibc
import Text

/// The source of tokens: a file, which may change, and the environment, which does not.
package struct TokenSource: Sendable {
    private let path: String?
    private let environment: [BearerToken]

    /// The size limit of the file. Every request is compared with each token, and a larger file is most likely the
    /// wrong one.
    package static let mostBytes = 64 << 10

    /// The shortest token accepted in a last line without a line break. Such a line looks like a file that is
    /// incomplete. Orchestrators mount secrets without a line break, so longer tokens, which cannot be guessed, are
    /// accepted.
    static let shortestUnended = 16

    /// - Parameters:
    ///   - path: the path of a file with one token on each line.
    ///   - environment: tokens separated by blanks, line breaks or commas.
    package init(path: String?, environment: String?) throws(TokenSourceError) {
        self.path = path
        guard let environment else {
            self.environment = []
            return
        }
        let words = environment.utf8.split { [0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ",")].contains($0) }
        self.environment = try TokenSource.tokens(words, of: .environment)
    }

    /// Whether a later read can find other tokens.
    package var isFile: Bool { path != nil }

    /// Returns the tokens of the file and the environment, each once; empty if neither is configured.
    package func read() throws(TokenSourceError) -> [BearerToken] {
        guard let path else { return environment }
        let lines = try TokenSource.contents(path)
            .split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if let last = lines.last.map(TokenSource.trimmed), !last.isEmpty,
            last.count < TokenSource.shortestUnended
        {
            throw .unended(path, number: lines.count, count: last.count)
        }
        let tokens = try TokenSource.tokens(lines, of: .file(path))
        let known = Set(tokens)
        return tokens + environment.filter { !known.contains($0) }
    }

    /// Whether users other than the owner may write to the file, and so admit themselves.
    package var isWritableByOthers: Bool {
        guard let path else { return false }
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return false }
        return status.st_mode & (S_IWGRP | S_IWOTH) != 0
    }

    /// - Parameter texts: surrounding blanks are removed, and empty texts are skipped.
    private static func tokens<Text: BidirectionalCollection<UInt8>>(
        _ texts: [Text], of place: TokenSourceError.Place
    ) throws(TokenSourceError) -> [BearerToken] {
        var tokens: [BearerToken] = []
        var known: Set<BearerToken> = []
        for (index, text) in texts.enumerated() {
            let token = trimmed(text[...])
            if token.isEmpty { continue }
            do throws(BearerToken.Flaw) {
                let token = try BearerToken(token)
                if known.insert(token).inserted { tokens.append(token) }
            } catch {
                throw .flawed(place, number: index + 1, error)
            }
        }
        guard !tokens.isEmpty else { throw .noToken(place) }
        return tokens
    }

    private static func trimmed<Text: BidirectionalCollection<UInt8>>(_ text: Text) -> Text.SubSequence
    where Text.SubSequence == Text {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
        var text = text
        while let last = text.last, isBlank(last) { text.removeLast() }
        return text.drop(while: isBlank)
    }

    private static func contents(_ path: String) throws(TokenSourceError) -> [UInt8] {
        do throws(RegularFile.Failure) {
            return try RegularFile(path, limit: mostBytes).bytes
        } catch {
            switch error {
            case .unreadable(let number): throw .unreadable(path, errno: number)
            case .notRegular: throw .notAFile(path)
            case .tooLarge: throw .tooLarge(path, limit: mostBytes)
            }
        }
    }
}
