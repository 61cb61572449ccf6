import JSON
import Testing

@Suite("JSON strings")
struct StringTests {
    static let accepted: [(String, String)] = [
        (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{08}\u{0C}\n\r\t"), (#""\u0041\u00e9\u20AC""#, "Aé€"),
        (#""\ud83d\ude00""#, "😀"), (#""\uDBFF\uDFFF""#, "\u{10FFFF}"), (#""\uD800\uDC00""#, "\u{10000}"),
        (#""a\u0000b""#, "a\u{0}b"), ("\"é€😀\"", "é€😀"), ("\"\u{7F}\"", "\u{7F}"),
        (#""\uFFFE\uFFFF\uE000""#, "\u{FFFE}\u{FFFF}\u{E000}"),
        (#""\\u0041""#, "\\u0041"), (#""/""#, "/"), ("\"\u{2028}\u{2029}\"", "\u{2028}\u{2029}"),
    ]

    @Test("Escapes are resolved and UTF-8 kept", arguments: accepted)
    func accepts(_ text: String, _ value: String) throws {
        let read = try #require(try JSONValue(parsing: text).string)
        // Scalars, because characters compare by how they look.
        #expect(Array(read.unicodeScalars) == Array(value.unicodeScalars))
    }

    @Test(
        "Malformed escapes and lone surrogates are refused",
        arguments: [
            #""\a""#, #""\x41""#, #""\0""#, #""\'""#, #""\U0041""#, #""\u""#, #""\u0""#, #""\u004""#,
            #""\u00G0""#,
            #""\u004１""#, #""\ud800""#, #""\udc00""#, #""\ud800a""#, #""\ud800\n""#, #""\ud800\u0041""#,
            #""\ud800\ud800""#, #""\udc00\ud800""#, #""\ud83d\u""#, #""\ud83d\ude0""#, #""\u+041""#,
            #""\u 041""#, #""\""#,
            #""a\"#,
        ])
    func malformedEscapes(_ text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    }

    @Test("Control characters must be escaped", arguments: UInt8(0)..<0x20)
    func controls(_ byte: UInt8) {
        for prefix in ["\"a", "\"\\n"] {
            #expect(
                throws: JSONError(
                    .unexpectedByte(byte, expected: "a character of a string"), byte: prefix.utf8.count)
            ) {
                try JSONValue(parsing: Array(prefix.utf8) + [byte, UInt8(ascii: "\"")])
            }
        }
    }

    static let invalidUTF8: [[UInt8]] = [
        [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0x80], [0xE2, 0x82],
        [0xE2, 0x28, 0xA1],
        [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x9F, 0x98],
        [0xF4, 0x90, 0x80, 0x80],
        [0xF5, 0x80, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80], [0xFE], [0xFF], [0x61, 0xFF, 0x62],
    ]

    @Test("Invalid UTF-8 is refused in plain strings, beside escapes and in names", arguments: invalidUTF8)
    func utf8(_ bytes: [UInt8]) {
        let quote = UInt8(ascii: "\"")
        #expect(throws: JSONError(.invalidUTF8, byte: 1)) {
            try JSONValue(parsing: [quote] + bytes + [quote])
        }
        #expect(throws: JSONError(.invalidUTF8, byte: 1)) {
            try JSONValue(parsing: Array(#""\n"#.utf8) + bytes + [quote])
        }
        #expect(throws: JSONError(.invalidUTF8, byte: 2)) {
            try JSONValue(parsing: Array("{\"".utf8) + bytes + Array("\":1}".utf8))
        }
    }

    @Test("The raw range of a string without escapes is its content; with one there is none")
    func plainRange() throws {
        var reader = JSONReader(Array(#"["aGk=", "a\/b"]"#.utf8))
        var ranges: [Range<Int>?] = []
        try reader.array { (reader, _) throws(JSONError) in
            ranges.append(try reader.plainStringRange())
            if ranges[ranges.count - 1] == nil { _ = try reader.string() }
        }
        #expect(ranges == [2..<6, nil])
        var open = JSONReader(Array("\"abc".utf8))
        #expect(throws: JSONError(.unexpectedEnd, byte: 4)) { _ = try open.plainStringRange() }
        var number = JSONReader(Array("12".utf8))
        #expect(throws: JSONError(.wrongKind(expected: "a string"), byte: 0)) {
            _ = try number.plainStringRange()
        }
    }
}
