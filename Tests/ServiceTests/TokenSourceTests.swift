import Glibc
import TestMaterial
import Testing

@testable import Service

@Suite struct TokenSourceTests {
    private func read(_ text: String, environment: String? = nil) throws -> [BearerToken] {
        let folder = TemporaryFolder()
        folder.write(Array(text.utf8), to: "tokens")
        return try TokenSource(path: folder.path + "/tokens", environment: environment).read()
    }

    private func tokens(_ texts: String...) throws -> [BearerToken] {
        try texts.map { try BearerToken($0.utf8) }
    }

    @Test(arguments: [
        "first-token\nother-token\n", "first-token\nother-token \n\t",
        "\n\n first-token\t\r\n\r\nother-token \r\n\n",
        "first-token\nother-token\nfirst-token\n",
    ]) func `a file has a token on each line; blanks around them and empty lines don't count`(text: String)
        throws
    {
        #expect(try read(text) == tokens("first-token", "other-token"))
    }

    @Test(arguments: [
        "first-token,other-token", "first-token other-token", " first-token\n,\tother-token\r\n",
        ",first-token,,other-token,",
    ]) func `the environment has tokens with blanks, commas or line ends between them`(text: String) throws {
        #expect(try TokenSource(path: nil, environment: text).read() == tokens("first-token", "other-token"))
    }

    @Test func `file and environment count together, a token of both once`() throws {
        #expect(
            try read("in-the-file\nin-both-1\n", environment: "in-both-1 in-the-environment")
                == tokens("in-the-file", "in-both-1", "in-the-environment"))
        #expect(try TokenSource(path: nil, environment: nil).read() == [])
    }

    @Test
    func `a last line without its end is taken only where nobody could guess it, as it may be half a token`()
        throws
    {
        let whole = "0123456789abcdef"
        #expect(try read(whole) == tokens(whole))
        #expect(try read("first-token\n" + whole) == tokens("first-token", whole))
        #expect(try read("first-token\n \t") == tokens("first-token"))
        for count in [8, 11, 15] {
            for before in ["", "first-token\n"] {
                do {
                    _ = try read(before + whole.prefix(count))
                    Issue.record("\(count) characters without a line end were taken")
                } catch let error as TokenSourceError {
                    guard case .unended(_, number: before.isEmpty ? 1 : 2, count: count) = error else {
                        throw error
                    }
                    #expect("\(error)".contains("half written") && !"\(error)".contains("0123"))
                }
                #expect(try read(before + whole.prefix(count) + "\n").count == (before.isEmpty ? 1 : 2))
            }
        }
    }

    @Test(arguments: ["", "\n", " \t\r\n\n"]) func `a file without a token is an error, not an open door`(
        text: String
    ) {
        #expect(throws: TokenSourceError.self) { try read(text) }
        #expect(throws: TokenSourceError.self) { try read(text, environment: "in-the-environment") }
    }

    @Test(arguments: [",", " ", ", ,\n"]) func `so is an environment of nothing but separators`(text: String)
    {
        #expect(throws: TokenSourceError.noToken(.environment)) {
            try TokenSource(path: nil, environment: text)
        }
    }

    @Test func `a line that is no token is named by its number, not by its text`() throws {
        let folder = TemporaryFolder()
        let path = folder.path + "/tokens"
        for (text, line) in [
            ("first-token\n\nsecret two\n", 3), ("s3cret\n", 1), ("# secret\nfirst-token\n", 1),
        ] {
            folder.write(Array(text.utf8), to: "tokens")
            let source = try TokenSource(path: path, environment: nil)
            do {
                _ = try source.read()
                Issue.record("\(text) was taken")
            } catch {
                guard case .flawed(.file(path), number: line, _) = error else {
                    Issue.record("\(error)")
                    continue
                }
                #expect(!"\(error)".contains("cret") && !"\(error)".contains("\n"))
                #expect("\(error)".contains("line \(line)"))
            }
        }
        do {
            _ = try TokenSource(path: nil, environment: "first-token s3cret")
            Issue.record("a short token was taken")
        } catch {
            #expect(error == .flawed(.environment, number: 2, .length(6)))
            #expect(!"\(error)".contains("s3cret"))
        }
    }

    @Test func `a file is read whole or not at all`() throws {
        let count = 6_000
        let lines = (0..<count).map { "t-\(100_000 + $0)\n" }.joined()
        #expect(lines.utf8.count > 48 << 10 && lines.utf8.count < TokenSource.mostBytes)
        #expect(try read(lines).count == count)
        let tooMuch = lines + String(repeating: "\n", count: TokenSource.mostBytes - lines.utf8.count + 1)
        do {
            _ = try read(tooMuch)
            Issue.record("more than the limit was taken")
        } catch let error as TokenSourceError {
            guard case .tooLarge(_, TokenSource.mostBytes) = error else { throw error }
        }
        #expect(try read(String(tooMuch.dropLast())).count == count)
    }

    @Test func `what is no regular file is refused, and a pipe without a writer makes nobody wait`() throws {
        let folder = TemporaryFolder()
        unsafe mkfifo(folder.path + "/pipe", 0o600)
        for path in [folder.path, folder.path + "/pipe", "/dev/zero"] {
            let source = try TokenSource(path: path, environment: nil)
            #expect(throws: TokenSourceError.notAFile(path)) { try source.read() }
        }
        let absent = folder.path + "/absent"
        let source = try TokenSource(path: absent, environment: nil)
        #expect(throws: TokenSourceError.unreadable(absent, errno: ENOENT)) { try source.read() }
    }

    @Test func `a file is read anew each time, by its path`() throws {
        let folder = TemporaryFolder()
        folder.write(Array("first-token\n".utf8), to: "tokens")
        let source = try TokenSource(path: folder.path + "/tokens", environment: "in-the-environment")
        #expect(try source.read() == tokens("first-token", "in-the-environment"))
        // As orchestrators do it: another file in its place.
        folder.write(Array("second-token\n".utf8), to: "new")
        unsafe rename(folder.path + "/new", folder.path + "/tokens")
        #expect(try source.read() == tokens("second-token", "in-the-environment"))
    }

    @Test(arguments: [
        (0o600, false), (0o444, false), (0o640, false), (0o620, true), (0o602, true), (0o666, true),
    ]) func `who else may write to the file is seen`(mode: Int, isWritable: Bool) throws {
        let folder = TemporaryFolder()
        folder.write(Array("first-token\n".utf8), to: "tokens")
        unsafe chmod(folder.path + "/tokens", mode_t(mode))
        let source = try TokenSource(path: folder.path + "/tokens", environment: nil)
        #expect(source.isWritableByOthers == isWritable)
        #expect(!(try TokenSource(path: nil, environment: "first-token").isWritableByOthers))
    }
}
