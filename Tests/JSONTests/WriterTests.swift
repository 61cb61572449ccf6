import JSON
import TestMaterial
import Testing

@Suite("Writing JSON")
struct WriterTests {
    @Test("Commas and colons stand where they belong")
    func structure() {
        var writer = JSONWriter()
        writer.object { writer in
            writer.name("a")
            writer.array { writer in
                writer.integer(1)
                writer.object { _ in }
                writer.array { _ in }
                writer.null()
            }
            writer.member("b", ["c": [true, false], "d": .null])
            writer.name("e")
            writer.plainString(Array("aGk=".utf8))
            writer.name("f")
            writer.bool(true)
        }
        let text = #"{"a":[1,{},[],null],"b":{"c":[true,false],"d":null},"e":"aGk=","f":true}"#
        #expect(String(decoding: writer.bytes, as: UTF8.self) == text)
    }

    @Test("Every scalar below 0x20, quotes and backslashes are escaped and read back")
    func escapes() throws {
        for scalar in (0..<0x80).compactMap(Unicode.Scalar.init) + ["é", "€", "😀", "\u{2028}", "\u{10FFFF}"] {
            let value = JSONValue.string("x\(scalar)y")
            #expect(try JSONValue(parsing: value.bytes) == value)
            #expect(!value.bytes.contains { $0 < 0x20 })
        }
    }

    @Test("Doubles read back bit by bit", arguments: 0..<4)
    func doubles(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var values = [
            0, -0.0, 1, -1, 0.1, 1e15, 1e15 - 1, 1e16, 1e21, 1e22, .leastNonzeroMagnitude, 0x1p-1030,
            .greatestFiniteMagnitude, .pi,
        ]
        values += (0..<3000).map { _ in Double(bitPattern: random.next()) }.filter(\.isFinite)
        values += (0..<1000).map { _ in Double(Int.random(in: -1 << 60...1 << 60, using: &random)) }
        for value in values {
            let text = JSONValue.number(value).text
            #expect(try JSONValue(parsing: text).double?.bitPattern == value.bitPattern, "\(text)")
        }
    }

    @Test("Floats are the shortest decimal that reads back as the same Float", arguments: 0..<4)
    func floats(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var values: [Float] = [
            0, 1, 0.1, .leastNonzeroMagnitude, 3.4028235e38, 16_777_216, 16_777_218, 1e10,
            .leastNormalMagnitude,
        ]
        values += (0..<3000).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: random.next())) }.filter(
            \.isFinite)
        var writer = JSONWriter()
        writer.array { writer in for value in values { writer.number(value) } }
        let read = try #require(try JSONValue(parsing: writer.bytes).array)
        #expect(read.count == values.count)
        for (json, value) in zip(read, values) {
            #expect(json.double.map(Float.init) == value)
            #expect(json.double.map { "\(Float($0))".count } == value.description.count)
        }
        var tenth = JSONWriter()
        tenth.number(Float(0.1))
        #expect(String(decoding: tenth.bytes, as: UTF8.self) == "0.1")
    }

    @Test("Any value survives being written and read", arguments: 0..<4)
    func roundTrip(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let value = randomValue(depth: 4, &random)
            #expect(try JSONValue(parsing: value.bytes) == value)
            #expect(try JSONValue(parsing: value.bytes).text == value.text)
        }
    }

    private func randomValue(depth: Int, _ random: inout SeededGenerator) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &random) {
        case 0: .null
        case 1: .bool(Bool.random(using: &random))
        case 2: .integer(Int64(bitPattern: random.next()))
        case 3: .number(Double.random(in: -1...1, using: &random) + 0.1e-7)
        case 4:
            .string(
                String(
                    String.UnicodeScalarView(
                        (0..<5).compactMap { _ in
                            Unicode.Scalar(UInt32.random(in: 0..<0x3000, using: &random))
                        })))
        case 5:
            .array(
                (0..<Int.random(in: 0..<4, using: &random)).map { _ in randomValue(depth: depth - 1, &random)
                })
        default:
            .object(
                (0..<Int.random(in: 0..<4, using: &random)).map { index in
                    JSONValue.Member("m\(index)", randomValue(depth: depth - 1, &random))
                })
        }
    }
}
