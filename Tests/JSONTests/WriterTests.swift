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

    @Test("A column of Floats has the text of each Float's description", arguments: 0..<4)
    func columns(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var values = (0..<30_000).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: random.next())) }
            .filter(\.isFinite)
        // Numbers of every size as replies have them, powers of two with their neighbours, and all the edges.
        values += (0..<10_000).map { _ in Float.random(in: -2...2, using: &random) * 1e-3 }
        values += (0..<254).flatMap { exponent in
            let power = Float(bitPattern: UInt32(exponent + 1) << 23)
            return [power, power.nextUp, power.nextDown, -power]
        }
        values += (0..<200).map { Float(bitPattern: UInt32($0 + 1)) }
        values += [
            16_777_216, 16_777_214, 16_777_218, 1e-4, 9.9999e-5, 1, 10, 123_456, 9.999999e9, 3.4028235e38,
        ]
        values += (0..<45).flatMap { [Float("1e-\($0)") ?? 0, Float("1e\(min($0, 38))") ?? 0] }
        var writer = JSONWriter()
        writer.array { writer in writer.numbers(values.span) }
        let expected = values.map { $0 == 0 ? "0" : $0.description }.joined(separator: ",")
        #expect(String(decoding: writer.bytes, as: UTF8.self) == "[\(expected)]")
    }

    @Test("Columns take their place among other values", arguments: [0, 1, 511, 512, 513, 1500])
    func columnsBetween(_ count: Int) {
        var writer = JSONWriter()
        writer.array { writer in
            writer.numbers([Float](repeating: -0.25, count: count).span)
            writer.integer(7)
            writer.numbers([UInt8](repeating: 1, count: count).span)
            writer.numbers([Float](repeating: 0, count: count).span)
        }
        let parts =
            Array(repeating: "-0.25", count: count) + ["7"] + Array(repeating: "1", count: count)
            + Array(repeating: "0", count: count)
        #expect(String(decoding: writer.bytes, as: UTF8.self) == "[\(parts.joined(separator: ","))]")
    }

    @Test("Text may be taken in pieces, with values of other writers between them")
    func pieces() {
        var writer = JSONWriter()
        var pieces: [[UInt8]] = []
        writer.object { writer in
            writer.name("a")
            writer.array { writer in
                for text in ["[1]", "2", "{}"] { pieces += [writer.takeText(), Array(text.utf8)] }
                writer.bool(true)
            }
            writer.member("b", 7)
        }
        pieces.append(writer.bytes)
        #expect(String(decoding: pieces.joined(), as: UTF8.self) == #"{"a":[[1],2,{},true],"b":7}"#)
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
