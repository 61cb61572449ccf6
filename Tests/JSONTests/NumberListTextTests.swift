import CNumberText
import JSON
import TestMaterial
import Testing

/// Lists of numbers at every register width, beside Swift's own reading of each number.
@Suite(.serialized) struct NumberListTextTests {
    private func atEveryWidth(_ body: () throws -> Void) rethrows {
        defer { number_text_limit(number_text_width_256) }
        for width in [number_text_width_baseline, number_text_width_256]
        where number_text_limit(width) == width { try body() }
    }

    private func read(_ numbers: [String], separator: String) throws -> [Double] {
        // Blanks behind the list, so that its end is not read in the careful way.
        let text =
            "{\"numbers\": [" + numbers.joined(separator: separator) + "]" + String(repeating: " ", count: 80)
            + "}"
        var reader = JSONReader(Array(text.utf8))
        var values: [Double] = []
        try reader.object { (reader, _) throws(JSONError) in try reader.numbers(into: &values) }
        try reader.end()
        return values
    }

    /// One digit, a point and `length` digits, some of which are zeros at the beginning or the end.
    private func fraction(_ length: Int, _ random: inout SeededGenerator) -> String {
        let zeros = Int.random(in: 0...length, using: &random)
        let isLeading = Bool.random(using: &random)
        let digits = (0..<length).map { place in
            let isZero = isLeading ? place < zeros : place >= zeros
            return isZero ? "0" : String(Int.random(in: 0...9, using: &random))
        }
        let whole = Bool.random(using: &random) ? 0 : Int.random(in: 0...9, using: &random)
        return (Bool.random(using: &random) ? "-" : "") + "\(whole)." + digits.joined()
    }

    @Test(arguments: [",", ", ", " ,\n  ", ",\t"])
    func `fractions of any length are the nearest Doubles`(separator: String) throws {
        var random = SeededGenerator(seed: 21)
        let numbers = (0..<4000).map { _ in fraction(Int.random(in: 1...24, using: &random), &random) }
        let expected = try numbers.map { try #require(Double($0)).bitPattern }
        try atEveryWidth {
            let found = try read(numbers, separator: separator)
            #expect(found.map(\.bitPattern) == expected)
        }
    }

    @Test func `other numbers among fractions are read as well`() throws {
        var random = SeededGenerator(seed: 22)
        let numbers = (0..<6000).map { index in
            switch index % 7 {
            case 0: "\(Int.random(in: -99999...99999, using: &random))"
            case 1: "\(Double.random(in: -1...1, using: &random))e-\(Int.random(in: 0...30, using: &random))"
            case 2: "\(Int.random(in: 10...99, using: &random)).\(Int.random(in: 0...999, using: &random))"
            case 3: "0.0"
            default: fraction(Int.random(in: 15...19, using: &random), &random)
            }
        }
        let expected = try numbers.map { try #require(Double($0)).bitPattern }
        try atEveryWidth {
            let found = try read(numbers, separator: ", ")
            #expect(found.map(\.bitPattern) == expected)
        }
    }

    @Test(arguments: [17, 18, 19]) func `bytes that are no text are no digits`(length: Int) {
        let number = Array("0.".utf8) + [UInt8](repeating: 0x35, count: length)
        let start = Array("{\"numbers\": [0.2345678901234567, 0.2345678901234567,".utf8)
        let end = Array(", 0.25]\(String(repeating: " ", count: 80))}".utf8)
        atEveryWidth {
            for place in 2..<number.count {
                for byte in UInt8(0x80)...0xFF {
                    var changed = number
                    changed[place] = byte
                    #expect(throws: JSONError.self, "\(place), \(byte)") {
                        var reader = JSONReader(start + changed + end)
                        var values: [Double] = []
                        try reader.object { (reader, _) throws(JSONError) in try reader.numbers(into: &values)
                        }
                    }
                }
            }
        }
    }

    @Test(arguments: [
        "0.1234567890123456x", "0.12345678x01234567", "0x1234567890123456", "x.1234567890123456", "0.",
        "--0.123456789012345", "0.1234567.89012345", "00.12345", "0.12345678901234567,", "",
    ])
    func `what is no number is refused, wherever it stands`(wrong: String) {
        for place in [0, 1, 15, 16, 17, 40] {
            var numbers = [String](repeating: "0.2345678901234567", count: 48)
            numbers[place] = wrong
            atEveryWidth {
                #expect(throws: JSONError.self) { try read(numbers, separator: ", ") }
            }
        }
    }

    @Test func `lists of every length end where they end`() throws {
        for count in 0...70 {
            let numbers = [String](repeating: "-0.75", count: count)
            try atEveryWidth {
                let found = try read(numbers, separator: ",")
                #expect(found == [Double](repeating: -0.75, count: count))
            }
        }
    }
}
