import Testing

@testable import Service

/// Tokens of a service under test.
func bearerTokens(_ texts: String...) throws -> BearerTokens {
    BearerTokens(try texts.map { try BearerToken($0.utf8) })
}

@Suite struct BearerTokenTests {
    static let longest = String(repeating: "a", count: 512)

    @Test(arguments: ["abcdefgh", "AZaz09-._~+/", "abcdefg=", "a=======", "aGVsbG8gd29ybGQ==", longest])
    func `tokens are RFC 6750's`(text: String) throws {
        let token = try BearerToken(text.utf8)
        #expect(token.count == text.utf8.count)
    }

    static let flaws: [(String, BearerToken.Flaw)] = [
        ("", .characters), ("========", .characters), ("=abcdefgh", .characters), ("abcd=efgh", .characters),
        ("abcd efgh", .characters), ("abcd,efgh", .characters), ("abcdefgh\0", .characters),
        ("abcdefgé", .characters), ("\"abcdefgh\"", .characters), ("abcdefgh;", .characters),
        ("abcdefg", .length(7)), (longest + "a", .length(513)),
    ]

    @Test(arguments: flaws) func `whatever else is refused, and not said again`(
        text: String, flaw: BearerToken.Flaw
    ) {
        #expect(throws: flaw) { try BearerToken(text.utf8) }
        #expect(text.isEmpty || !flaw.description.contains(text))
    }

    @Test func `exactly the tokens are accepted, up to the last byte and the length`() throws {
        let tokens = try bearerTokens("abcdefgh", "12345678-long-token=", BearerTokenTests.longest)
        for text in ["abcdefgh", "12345678-long-token=", BearerTokenTests.longest] {
            #expect(tokens.accept(text.utf8))
            #expect(!tokens.accept(text.dropLast().utf8) && !tokens.accept((text + "a").utf8))
            #expect(!tokens.accept((text + "\0").utf8))
            for index in [0, text.utf8.count / 2, text.utf8.count - 1] {
                var bytes = Array(text.utf8)
                for bit in 0..<8 {
                    bytes[index] ^= 1 << bit
                    #expect(!tokens.accept(bytes))
                    bytes[index] ^= 1 << bit
                }
            }
        }
        for text in ["", "\0", "ABCDEFGH", String(repeating: "a", count: 100_000)] {
            #expect(!tokens.accept(text.utf8))
        }
        // 256 and 65,536 bytes too many: lengths are compared whole.
        for count in [8 + 256, 8 + 65_536] {
            #expect(!tokens.accept(Array("abcdefgh".utf8) + [UInt8](repeating: 0, count: count - 8)))
        }
    }

    @Test func `tokens are replaced as a whole, while others ask`() async throws {
        let sets = try [["first-token", "other-token"], ["second-token", "third-token"]]
            .map { texts in try texts.map { try BearerToken($0.utf8) } }
        let tokens = BearerTokens(sets[0])
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                for turn in 1...2_000 { tokens.replace(with: sets[turn % 2]) }
                return true
            }
            for _ in 0..<2 {
                group.addTask {
                    (0..<2_000).allSatisfy { _ in
                        !tokens.accept("wrong-token".utf8) && !tokens.accept("".utf8)
                    }
                }
            }
            for await isRight in group { #expect(isRight) }
        }
        #expect(tokens.accept("first-token".utf8) && tokens.accept("other-token".utf8))
        tokens.replace(with: sets[1])
        #expect(tokens.accept("third-token".utf8) && !tokens.accept("first-token".utf8))
    }
}
