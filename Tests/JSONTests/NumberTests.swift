import JSON
import TestMaterial
import Testing

@Suite("JSON numbers")
struct NumberTests {
    static let integers: [(String, Int64)] = [
        ("0", 0), ("1", 1), ("-1", -1), ("10", 10), ("9007199254740993", 9_007_199_254_740_993),
        ("-9007199254740993", -9_007_199_254_740_993), ("9223372036854775807", .max),
        ("-9223372036854775808", .min),
        ("1000000000000000000", 1_000_000_000_000_000_000),
    ]

    @Test("Integers that fit stay integers, never rounded through a Double", arguments: integers)
    func integer(_ text: String, _ value: Int64) throws {
        #expect(try JSONValue(parsing: text) == .integer(value))
    }

    static let doubles: [(String, Double)] = [
        ("0.0", 0), ("1.0", 1), ("1e0", 1), ("1E+2", 100), ("1e-2", 0.01), ("-1.5", -1.5), ("0.1", 0.1),
        ("9223372036854775808", 9_223_372_036_854_775_808),
        ("-9223372036854775809", -9_223_372_036_854_775_808),
        ("18446744073709551616", 18_446_744_073_709_551_616), ("1e22", 1e22), ("1e23", 1e23),
        ("1e-22", 1e-22),
        ("123456789012345678901234567890", 123_456_789_012_345_677_877_719_597_056),
        ("1.7976931348623157e308", .greatestFiniteMagnitude), ("5e-324", .leastNonzeroMagnitude),
        ("4.9406564584124654e-324", .leastNonzeroMagnitude),
        ("2.2250738585072014e-308", .leastNormalMagnitude),
        ("2.2250738585072009e-308", .leastNormalMagnitude.nextDown),
        // Between two Doubles: ties go to even, a digit beyond decides.
        ("9007199254740993.0", 9_007_199_254_740_992),
        ("9007199254740993.00000000000000000000001", 9_007_199_254_740_994),
        ("1e-400", 0), ("0e999999999999", 0), ("0.0e-999999999999", 0), ("1e-99999999999999999999", 0),
        ("0." + String(repeating: "0", count: 400) + "1", 0),
        ("1" + String(repeating: "0", count: 300), 1e300),
        ("1" + String(repeating: "0", count: 400) + "e-400", 1),
        ("0." + String(repeating: "0", count: 400) + "1e401", 1),
    ]

    @Test("Other numbers are the nearest Double", arguments: doubles)
    func double(_ text: String, _ value: Double) throws {
        #expect(try JSONValue(parsing: text) == .number(value))
        #expect(try JSONValue(parsing: "[\(text)]") == [.number(value)])
    }

    @Test("Negative zero keeps its sign", arguments: ["-0", "-0.0", "-0e5", "-0.0e-400", "-1e-400"])
    func negativeZero(_ text: String) throws {
        let value = try #require(try JSONValue(parsing: text).double)
        #expect(value == 0 && value.sign == .minus)
        #expect(try column("[\(text)]").map(\.sign) == [.minus])
    }

    @Test(
        "An exponent of any length undoes a fraction of any length", arguments: [120_000, 999_999, 1_000_000])
    func longFraction(_ zeros: Int) throws {
        let text = Array("[-0.\(String(repeating: "0", count: zeros))1e\(zeros + 1)]".utf8)
        #expect(try JSONValue(parsing: text) == .array([.number(-1)]))
    }

    @Test(
        "Numbers that no Double holds are refused",
        arguments: [
            "1e400", "-1e400", "1e309", "1.7976931348623159e308", "1e999999999999999999999", "123e100000",
            "1" + String(repeating: "0", count: 400),
        ])
    func overflow(_ text: String) {
        #expect(throws: JSONError(.numberOutOfRange, byte: 0)) { try JSONValue(parsing: text) }
        #expect(throws: JSONError(.numberOutOfRange, byte: 4)) { try column("[0, \(text)]") }
    }

    @Test(
        "Malformed numbers are refused, one by one and in a list",
        arguments: [
            "00", "01", "-01", "-00", "007", "1.", "-1.", ".5", "-.5", "1.e5", "1e", "1e+", "1E-", "1e5.5",
            "--1", "+1", "- 1",
            "1_000", "0x10", "1e0x1", "1..2", "1.2.3", "1ee5", "1a", "１", "1e５", "NaN", "-NaN", "nan",
            "Infinity", "-Infinity",
            "inf", "-inf", "INF", "1f", "0b1", "1 000",
        ])
    func malformed(_ text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
        #expect(throws: JSONError.self) { try column("[\(text)]") }
        #expect(throws: JSONError.self) { try column("[1,\(text)]") }
    }

    @Test(
        "Not-a-number and infinities are named as such, with their position",
        arguments: ["NaN", "Infinity", "-Infinity"])
    func nonFinite(_ word: String) {
        #expect(throws: JSONError(.nonFiniteNumber, byte: 7)) { try column("[1.5,  \(word)]") }
        #expect(throws: JSONError(.nonFiniteNumber, byte: 5)) { try JSONValue(parsing: "{\"a\":\(word)}") }
    }

    @Test("What starts no value inside a list of numbers is malformed, another value is of the wrong kind")
    func strangersInColumns() {
        for text in ["[1,]", "[1,x]", "[,1]", "[1,*]"] {
            let error = #expect(throws: JSONError.self) { try column(text) }
            guard case .unexpectedByte = error?.reason else {
                Issue.record("\(text): \(error.debugDescription)")
                continue
            }
        }
        for text in ["[1,null]", "[1,\"2\"]", "[1,[2]]", "[1,{}]", "[1,true]"] {
            #expect(throws: JSONError(.wrongKind(expected: "a number"), byte: 3)) { try column(text) }
        }
    }

    @Test("Masks may be written with true and false")
    func booleans() throws {
        #expect(try column("[true, 0,false ,1]", allowingBooleans: true) == [1, 0, 0, 1])
        #expect(throws: JSONError.self) { try column("[true]") }
        #expect(throws: JSONError.self) { try column("[tru]", allowingBooleans: true) }
        #expect(throws: JSONError.self) { try column("[nul]", allowingBooleans: true) }
    }

    @Test("Every random decimal is the nearest Double, one by one and in a column", arguments: 0..<8)
    func nearest(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let texts = (0..<4000).map { _ in decimal(&random) }
        let expected = texts.map { Double($0) }
        #expect(
            try column("[\(texts.joined(separator: ","))]").map(\.bitPattern)
                == expected.map { $0?.bitPattern })
        for (text, value) in zip(texts, expected) {
            let read = try JSONValue(parsing: text)
            #expect(
                read.double?.bitPattern == value?.bitPattern || read == .integer(Int64(text) ?? .min),
                "\(text)")
        }
    }

    @Test("Every Double reads back from its shortest and from 17 digits", arguments: 0..<4)
    func roundTrip(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let values = (0..<4000).map { _ in Double(bitPattern: random.next()) }.filter(\.isFinite)
        #expect(try column("[\(values.map(\.description).joined(separator: ", "))]") == values)
    }

    @Test("Decimals on and beside the middle of two Doubles are rounded as strtod does", arguments: 0..<4)
    func middles(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var texts: [String] = []
        for _ in 0..<2000 {
            // Odd, of 54 bits: exactly between two Doubles, and so are its small multiples of powers of ten.
            let middle = UInt64.random(in: 1 << 53..<1 << 54, using: &random) | 1
            texts += ["\(middle)", "\(middle).0", "\(middle - 1)", "\(middle + 1)e0", "\(middle)0e-1"]
            // 19 digits with any exponent.
            let mantissa = UInt64.random(
                in: 1_000_000_000_000_000_000...9_999_999_999_999_999_999, using: &random)
            texts.append("\(mantissa)e\(Int.random(in: -360...289, using: &random))")
            // Near the smallest and the largest.
            texts.append("\(mantissa)e-\(Int.random(in: 324...345, using: &random))")
            texts.append(
                "0.\(String(repeating: "0", count: Int.random(in: 0...20, using: &random)))\(mantissa)")
        }
        texts += (0...700).map { "1e\($0 - 390)" }.filter { Double($0)?.isFinite ?? false }
        let expected = texts.map { Double($0)?.bitPattern }
        #expect(try column("[\(texts.joined(separator: ","))]").map(\.bitPattern) == expected)
    }

    @Test("Digits are found wherever the text ends or goes on", arguments: 0..<20)
    func lengths(_ count: Int) throws {
        let digits = String("12345678901234567890".prefix(count + 1))
        for text in [digits, "0.\(digits)", "-\(digits)e5", "\(digits).\(digits)", "0.0000\(digits)"] {
            let value = try #require(Double(text))
            #expect(try JSONValue(parsing: text).double == value)
            #expect(try column("[\(text)]") == [value])
            #expect(try column("[\(text) ,\(text)\n]") == [value, value])
            for end in [":", "/", ";", "\u{7F}", "x", "-", "é"] {
                #expect(throws: JSONError.self) { try column("[\(text)\(end)123456789]") }
            }
        }
    }

    /// 1 to 25 digits, with and without fraction and exponent; those that overflow are left out.
    private func decimal(_ random: inout SeededGenerator) -> String {
        while true {
            let digits = [1, 2, 5, 15, 16, 17, 18, 19, 20, 25].randomElement(using: &random) ?? 1
            var text = Bool.random(using: &random) ? "-" : ""
            text += String(Int.random(in: 1...9, using: &random))
            for _ in 1..<max(2, digits) { text += String(Int.random(in: 0...9, using: &random)) }
            switch Int.random(in: 0..<4, using: &random) {
            case 0: break
            case 1: text += "." + String(random.next() % 10_000_000)
            case 2: text = (text.hasPrefix("-") ? "-0.000" : "0.000") + text.drop { $0 == "-" }
            default: text += ".25"
            }
            switch Int.random(in: 0..<4, using: &random) {
            case 0: text += "e\(Int.random(in: -345...305, using: &random))"
            case 1: text += "E+\(Int.random(in: 0...30, using: &random))"
            case 2: text += "e-\(Int.random(in: 0...30, using: &random))"
            default: break
            }
            if let value = Double(text), value.isFinite { return text }
        }
    }

    private func column(_ text: String, allowingBooleans: Bool = false) throws -> [Double] {
        var reader = JSONReader(Array(text.utf8))
        var values: [Double] = []
        try reader.numbers(into: &values, allowingBooleans: allowingBooleans)
        try reader.end()
        return values
    }
}
