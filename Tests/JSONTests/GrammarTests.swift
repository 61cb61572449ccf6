import JSON
import Testing

@Suite("The JSON grammar")
struct GrammarTests {
    static let accepted: [(String, JSONValue)] = [
        ("null", .null), ("true", true), ("false", false), ("\"\"", ""), ("0", 0), ("[]", []), ("{}", [:]),
        (" \t\r\n[ \t\r\n] \t\r\n", []), ("{ }", [:]), ("\n{\n\"a\"\t:\r1\n}\n", ["a": 1]),
        ("[1]", [1]), ("[1,2]", [1, 2]), ("[ 1 , 2 ]", [1, 2]), ("[[],[[]],{}]", [[], [[]], [:]]),
        ("[null,true,false,\"x\",1.5]", [.null, true, false, "x", 1.5]),
        (#"{"a":{"b":[{"c":null}]}}"#, ["a": ["b": [["c": .null]]]]),
        (#"{"":0}"#, ["": 0]), (#"{"b":1,"a":2}"#, ["b": 1, "a": 2]), (#"{"a":1,"A":2}"#, ["a": 1, "A": 2]),
        (#"{"\u0061":1}"#, ["a": 1]), ("[\"a\", \"a\"]", ["a", "a"]),
    ]

    @Test("Valid texts are read as what they say, members in their order", arguments: accepted)
    func accepts(_ text: String, _ value: JSONValue) throws {
        #expect(try JSONValue(parsing: text) == value)
    }

    @Test(
        "What RFC 8259 doesn't have is refused",
        arguments: [
            "", " ", "\n", "[", "]", "{", "}", "[1", "[1,", "[,", "[,1]", "[1,]", "[1,,2]", "[1 2]", "[1}",
            "[1:2]",
            "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}", "{,\"a\":1}", "{\"a\" 1}",
            "{\"a\",1}",
            "{\"a\":1 \"b\":2}", "{\"a\":1]", "{a:1}", "{1:1}", "{null:1}", "{'a':1}", "{\"a\"::1}",
            "{\"a\":1,,\"b\":2}",
            "{\"a\":}", "nul", "nulll", "tru", "truee", "fals", "falsey", "Null", "TRUE", "True", "n", "t",
            "f", "undefined",
            "'a'", "a", "\"", "\"a", "\"a\\", "\"a\\\"", "[\"a]", "// c\n1", "/* c */ 1", "[1] // c", "#1",
            "\u{00A0}1", "\u{2028}1", "\u{FEFF}\u{FEFF}1", "\u{0B}1", "\u{0C}[]", "1\u{0}", "\u{0}", "[1]]",
            "{}{}", "[][]",
            "1 2", "\"a\" \"b\"", "null null", "[1]x", "*", "<1>", "(1)", "@", "-", "+", ".", "e", "\\u0031",
        ])
    func refuses(_ text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    }

    static let positions: [(String, JSONError)] = [
        ("", JSONError(.unexpectedEnd, byte: 0)),
        ("  [1, ", JSONError(.unexpectedEnd, byte: 6)),
        ("[1, x]", JSONError(.unexpectedByte(UInt8(ascii: "x"), expected: "a value"), byte: 4)),
        ("[1]  2", JSONError(.trailingBytes, byte: 5)),
        ("[1, 01]", JSONError(.invalidNumber, byte: 4)),
        ("[1, 1e999]", JSONError(.numberOutOfRange, byte: 4)),
        ("[1, NaN]", JSONError(.nonFiniteNumber, byte: 4)),
        ("[ Infinity]", JSONError(.nonFiniteNumber, byte: 2)),
        ("[0, -Infinity]", JSONError(.nonFiniteNumber, byte: 4)),
        (#"{"a":1,"b":2, "a":3}"#, JSONError(.duplicateMember("a"), byte: 14)),
        (#"{"a":1,"\u0061":3}"#, JSONError(.duplicateMember("a"), byte: 7)),
        (#"{"a" 1}"#, JSONError(.unexpectedByte(UInt8(ascii: "1"), expected: "':'"), byte: 5)),
        ("[[[]]]", JSONError(.tooDeep(limit: 2), byte: 2)),
        ("[true, trux]", JSONError(.unexpectedByte(UInt8(ascii: "x"), expected: "true"), byte: 10)),
    ]

    @Test("An error says what it is and at which byte", arguments: positions)
    func position(_ text: String, _ error: JSONError) {
        let limit = if case .tooDeep(let limit) = error.reason { limit } else { 64 }
        #expect(throws: error) { try JSONValue(parsing: Array(text.utf8), depthLimit: limit) }
    }

    @Test("Every reason has words for people")
    func words() {
        for (text, error) in GrammarTests.positions {
            #expect(!error.description.isEmpty, "\(text)")
        }
        #expect(
            JSONError(.unexpectedByte(0, expected: "a value"), byte: 0).description
                == "found byte 0 where a value was expected")
    }

    @Test("A member that stands twice is refused at any depth, the same name in two objects is not")
    func duplicates() throws {
        #expect(throws: JSONError.self) { try JSONValue(parsing: #"[{"x":{"a":1,"a":1}}]"#) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: #"{"":1,"":2}"#) }
        #expect(try JSONValue(parsing: #"{"a":{"a":1},"b":{"a":2}}"#) == ["a": ["a": 1], "b": ["a": 2]])
    }

    @Test("Names that only differ in how an accent is composed are the same name")
    func canonicalEquivalence() throws {
        #expect(throws: JSONError(.duplicateMember("e\u{301}"), byte: 12)) {
            try JSONValue(parsing: #"{"\u00e9":1,"e\u0301":2}"#)
        }
    }

    @Test("Depth is counted up to its limit and no further", arguments: [1, 2, 63, 64])
    func depth(_ levels: Int) {
        let nested = String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        #expect(throws: Never.self) { try JSONValue(parsing: Array(nested.utf8), depthLimit: levels) }
        let error = JSONError(.tooDeep(limit: levels), byte: levels)
        #expect(throws: error) { try JSONValue(parsing: Array("[\(nested)]".utf8), depthLimit: levels) }
    }

    @Test(
        "A megabyte of opening brackets is refused, not recursed into",
        arguments: ["[", "{\"a\":", "[{\"a\":"])
    func depthAttack(_ opening: String) {
        let text = Array(String(repeating: opening, count: 1 << 17).utf8)
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    }

    @Test("Closing a list gives its level back")
    func breadth() throws {
        let text = "[" + Array(repeating: "[[]]", count: 200).joined(separator: ",") + "]"
        #expect(try JSONValue(parsing: Array(text.utf8), depthLimit: 3).array?.count == 200)
        let flat = "[" + Array(repeating: "[1]", count: 200).joined(separator: ",") + "]"
        var reader = JSONReader(Array(flat.utf8), depthLimit: 2)
        var values: [Double] = []
        try reader.array { (reader, _) throws(JSONError) in try reader.numbers(into: &values) }
        #expect(values.count == 200)
    }

    @Test("One byte order mark at the start is ignored")
    func byteOrderMark() throws {
        #expect(try JSONValue(parsing: [0xEF, 0xBB, 0xBF] + Array("[1]".utf8)) == [1])
        #expect(throws: JSONError(.nonFiniteNumber, byte: 4)) {
            try JSONValue(parsing: [0xEF, 0xBB, 0xBF] + Array("[NaN]".utf8))
        }
        #expect(throws: JSONError.self) {
            try JSONValue(parsing: Array("[".utf8) + [0xEF, 0xBB, 0xBF, 0x5D])
        }
        #expect(throws: JSONError.self) { try JSONValue(parsing: [0xFE, 0xFF, 0x00, 0x31]) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: [0x31, 0x00]) }
    }
}
