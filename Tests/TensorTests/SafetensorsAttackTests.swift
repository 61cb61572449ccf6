import JSON
@testable import Tensor
import TestMaterial
import Testing

@Suite("Attacks on safetensors")
struct SafetensorsAttackTests {
    @Test("The length of the header is cut short", arguments: 0..<8)
    func truncatedLength(_ count: Int) {
        #expect(throws: error(.truncatedLength, count)) {
            try Safetensors(parsing: [UInt8](repeating: 0, count: count))
        }
    }

    @Test(
        "The header declares more than the format allows",
        arguments: [100_000_001, 1 << 32, 1 << 63, UInt64.max])
    func headerTooLarge(_ declared: UInt64) {
        #expect(throws: error(.headerTooLarge(declared: declared), 0)) {
            try RawFile("{}", claimedLength: declared).parsed()
        }
    }

    @Test("The header claims 100 MB with nothing behind it", arguments: [3, 1000, 100_000_000] as [UInt64])
    func truncatedHeader(_ declared: UInt64) {
        #expect(throws: error(.truncatedHeader(declared: Int(declared), available: 2), 0)) {
            try RawFile("{}", claimedLength: declared).parsed()
        }
    }

    @Test("A shape of a hundred thousand dimensions makes a short error")
    func longShape() {
        let shape = "[\(Array(repeating: "1", count: 100_000).joined(separator: ","))]"
        let file = RawFile("{\(RawFile.entry("a", shape, 0, 1))}", data: 1)
        do throws(SafetensorsError) {
            _ = try file.parsed()
            Issue.record("it was read")
        } catch {
            #expect(error.description.count < 200 && error.description.contains("100000"))
        }
    }

    @Test(
        "The header is not an object",
        arguments: ["", " {}", "[]", "null", "\"{}\"", "1", "\u{FEFF}{}", "\u{0}"])
    func headerNotAnObject(_ header: String) {
        #expect(throws: error(.headerNotAnObject, 8)) { try RawFile(header).parsed() }
    }

    static let malformedHeaders = [
        "{", "{]", "{} {}", "{}x", "{\"a\":", "{\"a\":1}", "{\"a\":[]}", "{\"a\":null}", "{\"a\":{}}",
        "{NaN}",
        #"{"a":{"dtype":"U8","shape":[0]}}"#, #"{"a":{"dtype":"U8","data_offsets":[0,0]}}"#,
        #"{"a":{"shape":[0],"data_offsets":[0,0]}}"#,
        #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"extra":1}}"#,
        #"{"a":{"dtype":"U8","shape":[0],"offsets":[0,0]}}"#,
        #"{"a":{"dtype":8,"shape":[0],"data_offsets":[0,0]}}"#,
        #"{"a":{"dtype":null,"shape":[0],"data_offsets":[0,0]}}"#,
        #"{"a":{"dtype":"U8","shape":0,"data_offsets":[0,0]}}"#,
        #"{"a":{"dtype":"U8","shape":"[0]","data_offsets":[0,0]}}"#,
        #"{"a":{"dtype":"U8","shape":[[0]],"data_offsets":[0,0]}}"#,
        #"{"a":{"dtype":"U8","shape":[0.0],"data_offsets":[0,0]}}"#,
        #"{"a":{"dtype":"U8","shape":["0"],"data_offsets":[0,0]}}"#,
        #"{"a":{"dtype":"U8","shape":[true],"data_offsets":[0,0]}}"#,
        #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[]}}"#,
        #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0]}}"#,
        #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0,0]}}"#,
        #"{"a":{"dtype":"U8","shape":[0],"data_offsets":{"0":0,"1":0}}}"#,
        #"{"__metadata__":1}"#, #"{"__metadata__":[]}"#, #"{"__metadata__":{"a":1}}"#,
        #"{"__metadata__":{"a":{}}}"#, #"{"__metadata__":{"a":null}}"#,
    ]

    @Test("The header is malformed, or holds something else than the format has", arguments: malformedHeaders)
    func malformedHeader(_ header: String) {
        let error = #expect(throws: SafetensorsError.self) { try RawFile(header).parsed() }
        guard case .header(let json) = error?.reason else {
            Issue.record("\(error.debugDescription)")
            return
        }
        // The position counts from the start of the file, the header's own from its brace.
        #expect(error?.byte == json.byte + 8)
    }

    static let duplicates = [
        "{\(RawFile.entry("a", "[0]", 0, 0)),\(RawFile.entry("a", "[0]", 0, 0))}",
        "{\(RawFile.entry("a", "[1]", 0, 1)),\(RawFile.entry("\\u0061", "[1]", 1, 2))}",
        #"{"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#,
        #"{"a":{"dtype":"U8","shape":[0],"shape":[0],"data_offsets":[0,0]}}"#,
        #"{"__metadata__":{},"__metadata__":{}}"#, #"{"__metadata__":{"a":"1","a":"2"}}"#,
    ]

    @Test("A name stands twice", arguments: duplicates)
    func duplicateNames(_ header: String) {
        let error = #expect(throws: SafetensorsError.self) { try RawFile(header, data: 2).parsed() }
        guard case .header(let json) = error?.reason, case .duplicateMember = json.reason else {
            Issue.record("\(error.debugDescription)")
            return
        }
    }

    @Test(
        "The element type is a lie or a word from elsewhere",
        arguments: [
            "", "u8", "f32", "FLOAT32", "float32", "F8_E4M3", "F8_E5M2", "BF16 ", "C64", "U128", "\\u0000",
        ])
    func unknownElementType(_ word: String) {
        let error = #expect(throws: SafetensorsError.self) {
            try RawFile("{\(RawFile.entry("a", "[4]", 0, 4, type: word))}", data: 4).parsed()
        }
        guard case .unknownElementType(let tensor, _) = error?.reason else {
            Issue.record("\(error.debugDescription)")
            return
        }
        #expect(tensor == "a")
    }

    @Test(
        "Shape and element type need another number of bytes than the offsets span",
        arguments: [
            ("U8", "[4]", 3), ("U8", "[4]", 5), ("F32", "[4]", 4), ("F16", "[2]", 2), ("F64", "[]", 4),
            ("U8", "[]", 0),
            ("U8", "[0]", 1), ("U8", "[2,0,2]", 4), ("BOOL", "[8]", 1), ("I64", "[1]", 16),
        ])
    func sizeLie(_ type: String, _ shape: String, _ bytes: Int) {
        let error = #expect(throws: SafetensorsError.self) {
            try RawFile("{\(RawFile.entry("a", shape, 0, bytes, type: type))}", data: bytes).parsed()
        }
        guard case .sizeMismatch("a", bytes, _) = error?.reason else {
            Issue.record("\(error.debugDescription)")
            return
        }
        #expect(error?.tensor == "a")
    }

    @Test(
        "Extents multiply to more than any memory, or wrap around to what fits",
        arguments: [
            "[9223372036854775807]", "[9223372036854775807,2]", "[4294967296,4294967296]",
            "[4294967296,4294967296,0]", "[0,4294967296,4294967296]", "[0,0,4611686018427387904]",
            "[3037000500,3037000500,1]", "[562949953421312]", "[2305843009213693952,8]",
            "[1,1,1,1,1,1,1,1,1]",
        ])
    func shapeOverflow(_ shape: String) {
        let error = #expect(throws: SafetensorsError.self) {
            try RawFile("{\(RawFile.entry("a", shape, 0, 0, type: "F32"))}").parsed()
        }
        guard case .shapeOverflow = error?.reason else {
            Issue.record("\(error.debugDescription)")
            return
        }
    }

    @Test(
        "Negative, fractional or overflowing numbers in the header",
        arguments: [
            "-1", "-0", "1.5", "1e0", "9223372036854775808", "18446744073709551616", "1e400",
        ])
    func negativeNumbers(_ number: String) {
        for header in [
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[\(number)],\"data_offsets\":[0,0]}}",
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[\(number),0]}}",
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,\(number)]}}",
        ] {
            let error = #expect(throws: SafetensorsError.self) { try RawFile(header, data: 1).parsed() }
            guard case .header = error?.reason else {
                Issue.record("\(error.debugDescription)")
                return
            }
        }
    }

    @Test(
        "Offsets lie outside the data or run backwards",
        arguments: [
            (0, 5), (4, 8), (5, 5), (1 << 62, 1 << 62), (0, Int.max), (Int.max, Int.max), (4, 0), (2, 1),
        ])
    func offsetsOutOfRange(_ begin: Int, _ end: Int) {
        #expect(throws: error(.offsetsOutOfRange(tensor: "a", begin: begin, end: end, available: 4), 13)) {
            try RawFile("{\(RawFile.entry("a", "[4]", begin, end))}", data: 4).parsed()
        }
    }

    @Test(
        "Tensors overlap or leave a hole",
        arguments: [
            (("[2]", 0, 2), ("[2]", 1, 3)), (("[4]", 0, 4), ("[4]", 0, 4)), (("[4]", 0, 4), ("[2]", 1, 3)),
            (("[1]", 0, 1), ("[2]", 2, 4)), (("[1]", 1, 2), ("[2]", 2, 4)), (("[2]", 0, 2), ("[0]", 3, 3)),
            (("[4]", 0, 4), ("[0]", 2, 2)),
        ])
    func holesAndOverlaps(_ first: (String, Int, Int), _ second: (String, Int, Int)) {
        for (one, two) in [(first, second), (second, first)] {
            let header =
                "{\(RawFile.entry("a", one.0, one.1, one.2)),\(RawFile.entry("b", two.0, two.1, two.2))}"
            let error = #expect(throws: SafetensorsError.self) { try RawFile(header, data: 4).parsed() }
            guard case .holeOrOverlap = error?.reason else {
                Issue.record("\(error.debugDescription)")
                return
            }
        }
    }

    @Test("Data follow that no tensor uses", arguments: [1, 8, 1000])
    func trailingData(_ extra: Int) {
        let header = "{\(RawFile.entry("a", "[4]", 0, 4))}"
        #expect(throws: error(.trailingData(used: 4, available: 4 + extra), 8 + header.utf8.count + 4)) {
            try RawFile(header, data: 4 + extra).parsed()
        }
        #expect(throws: error(.trailingData(used: 0, available: extra), 10)) {
            try RawFile("{}", data: extra).parsed()
        }
    }

    @Test("Nesting in the header is not followed")
    func nesting() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: SafetensorsError.self) { try RawFile("{\"a\":{\"dtype\":\(deep)").parsed() }
        #expect(throws: SafetensorsError.self) { try RawFile("{\"a\":\(deep)").parsed() }
    }

    @Test("Every truncation of a valid file is an error, and so is one more byte")
    func truncations() throws {
        let bytes = referenceFile
        #expect(throws: Never.self) { try Safetensors(parsing: bytes) }
        for length in 0..<bytes.count {
            #expect(throws: SafetensorsError.self, "\(length)") {
                try Safetensors(parsing: Array(bytes[..<length]))
            }
        }
        #expect(throws: SafetensorsError.self) { try Safetensors(parsing: bytes + [0]) }
    }

    @Test("Changed bytes give a file or an error that has words and lies inside the file", arguments: 0..<4)
    func noise(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let original = referenceFile
        for _ in 0..<400 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8(
                    truncatingIfNeeded: random.next())
            }
            do throws(SafetensorsError) {
                let file = try Safetensors(parsing: bytes)
                for tensor in file.tensors.values { #expect(tensor.doubles().count == tensor.count) }
            } catch {
                #expect((0...bytes.count).contains(error.byte) && !error.description.isEmpty)
            }
        }
    }

    private func error(_ reason: SafetensorsError.Reason, _ byte: Int) -> SafetensorsError {
        SafetensorsError(reason, byte: byte)
    }
}
