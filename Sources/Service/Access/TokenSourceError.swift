import Glibc

/// The reason why tokens cannot be read. No case contains any text of a token.
package enum TokenSourceError: Error, Equatable, Sendable {
    case unreadable(_ path: String, errno: CInt)
    /// The path is a folder, pipe or device.
    case notAFile(_ path: String)
    case tooLarge(_ path: String, limit: Int)
    case noToken(Place)
    /// The last line is short and lacks a line break.
    case unended(_ path: String, number: Int, count: Int)
    /// The line of the file, or the position among the tokens of the environment.
    case flawed(Place, number: Int, BearerToken.Flaw)

    package enum Place: Equatable, Sendable {
        case file(String)
        case environment
    }
}

extension TokenSourceError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreadable(let path, let number):
            "cannot read the token file \(path): \(unsafe String(cString: strerror(number)))"
        case .notAFile(let path): "the token file \(path) is no regular file"
        case .tooLarge(let path, let limit): "the token file \(path) has more than \(limit) bytes"
        case .noToken(.file(let path)): "the token file \(path) holds no token"
        case .noToken(.environment): "PERCEPTION_TOKENS holds no token"
        case .unended(let path, let number, let count):
            "the token file \(path) looks half written: line \(number), the last, has \(count) characters and no line end; "
                + "end it with one, or take a token of \(TokenSource.shortestUnended) characters or more"
        case .flawed(.file(let path), let number, let flaw):
            "the token file \(path) is not all tokens: line \(number) \(flaw)"
        case .flawed(.environment, let number, let flaw):
            "PERCEPTION_TOKENS is not all tokens: number \(number) \(flaw)"
        }
    }
}
