import JSON
import TestMaterial
import Testing

@Suite("Hostile JSON texts")
struct HostileTextTests {
    static let document =
        #"{"options":{"tau":0.1,"n":null,"on":true,"off":false},"rollouts":[{"id":"r\u00e9\ud83d\ude00","a":[-1.5e-3,0,12]},{}]}"#

    @Test("Every truncation of a valid text is an error")
    func truncations() throws {
        let bytes = Array(HostileTextTests.document.utf8)
        #expect(throws: Never.self) { try JSONValue(parsing: bytes) }
        for length in 0..<bytes.count {
            #expect(throws: JSONError.self, "\(length)") { try JSONValue(parsing: Array(bytes[..<length])) }
        }
    }

    @Test("Every truncation of a column of numbers is an error")
    func truncatedColumns() {
        let bytes = Array("[1, -2.5e+10 ,0.125,\t1234567890123456789012, true ]".utf8)
        for length in 0..<bytes.count {
            var reader = JSONReader(Array(bytes[..<length]))
            var values: [Double] = []
            #expect(throws: JSONError.self, "\(length)") {
                try reader.numbers(into: &values, allowingBooleans: true)
            }
        }
    }

    @Test("Any single byte in any place gives a value or an error inside the text")
    func substitutions() {
        let original = Array(HostileTextTests.document.utf8)
        for index in original.indices {
            for byte in [
                0x00, 0x1F, 0x20, 0x22, 0x2C, 0x2D, 0x30, 0x3A, 0x5B, 0x5C, 0x5D, 0x65, 0x7B, 0x7D, 0x80,
                0xFF,
            ] as [UInt8] {
                var bytes = original
                bytes[index] = byte
                expectValueOrPosition(bytes)
            }
        }
    }

    @Test("Random bytes give a value or an error inside the text", arguments: 0..<4)
    func noise(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let alphabet = Array("{}[]\",:\\u0123456789eE+-. \ntrufalsn".utf8) + [0xC3, 0xA9, 0x80, 0xFF, 0x00]
        for _ in 0..<3000 {
            let count = Int.random(in: 0..<40, using: &random)
            expectValueOrPosition((0..<count).map { _ in alphabet.randomElement(using: &random) ?? 0 })
        }
    }

    @Test(
        "Wherever a number ends a buffer, nothing beyond it is read",
        arguments: [
            "-", "1", "1.", "1.5", "1e", "1e+", "1e+5", "12345678901234567890",
            "0.00000000000000000000000000001",
        ])
    func numberAtTheEnd(_ text: String) {
        expectValueOrPosition(Array(text.utf8))
        expectValueOrPosition(Array("[\(text)".utf8))
    }

    private func expectValueOrPosition(_ bytes: [UInt8]) {
        do throws(JSONError) {
            let value = try JSONValue(parsing: bytes)
            // What was accepted survives being written and read again.
            #expect(try JSONValue(parsing: value.bytes).text == value.text)
        } catch {
            #expect((0...bytes.count).contains(error.byte), "\(error) in \(bytes)")
        }
        var reader = JSONReader(bytes)
        var values: [Double] = []
        do throws(JSONError) {
            try reader.numbers(into: &values)
            #expect(values.allSatisfy { $0.isFinite })
        } catch {
            #expect((0...bytes.count).contains(error.byte), "\(error) in \(bytes)")
        }
    }

    @Test("Values built whole are counted, numbers in columns are not")
    func manyValues() throws {
        let text = Array("[[1],[1],[1]]".utf8)
        var within = JSONReader(text, valueLimit: 7)
        #expect(try within.value().array?.count == 3)
        #expect(throws: JSONError(.tooManyValues(limit: 6), byte: 10)) {
            var beyond = JSONReader(text, valueLimit: 6)
            _ = try beyond.value()
        }
        var column = JSONReader(Array("[1,1,1,1,1,1,1,1]".utf8), valueLimit: 1)
        var numbers: [Double] = []
        try column.numbers(into: &numbers)
        #expect(numbers.count == 8)
    }

    @Test("A member's name has a length that can be compared")
    func longNames() throws {
        let name = String(repeating: "n", count: 5000)
        #expect(throws: JSONError(.nameTooLong(limit: 4096), byte: 1)) {
            try JSONValue(parsing: "{\"\(name)\":1}")
        }
        #expect(try JSONValue(parsing: "{\"\(name.prefix(4000))\":1}").members?.count == 1)
    }
}
