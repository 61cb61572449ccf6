import Glibc

extension JSONReader {
    /// Reads one number; integers without fraction or exponent that fit Int64 stay integers.
    package mutating func number() throws(JSONError) -> JSONValue {
        guard try nextKind() == .number else {
            throw JSONError(.wrongKind(expected: "a number"), byte: position)
        }
        var scan = NumberScan(start: position)
        let value = try scan.scan(bytes.span)
        position = scan.position
        if scan.isInteger, let integer = scan.exactInteger { return .integer(integer) }
        return .number(value)
    }

    package mutating func double() throws(JSONError) -> Double {
        guard try nextKind() == .number else {
            throw JSONError(.wrongKind(expected: "a number"), byte: position)
        }
        var scan = NumberScan(start: position)
        let value = try scan.scan(bytes.span)
        position = scan.position
        return value
    }

    /// Reads a flat array of numbers onto the end of `values`: the hot path of JSON bodies.
    /// - Parameter allowingBooleans: whether true and false count as 1 and 0, since masks are written both ways.
    /// - Complexity: O(bytes read); numbers of up to 19 digits with small exponents never leave integer registers.
    package mutating func numbers(
        into values: inout [Double], allowingBooleans: Bool = false
    ) throws(JSONError) {
        guard try nextKind() == .array else {
            throw JSONError(.wrongKind(expected: "an array of numbers"), byte: position)
        }
        try enter()
        let text = bytes
        let span = text.span
        var cursor = position
        func blanks() {
            while cursor < span.count, isBlank(span[cursor]) {
                cursor += 1
            }
        }
        blanks()
        guard cursor < span.count else { throw JSONError(.unexpectedEnd, byte: cursor) }
        if span[cursor] == UInt8(ascii: "]") {
            position = cursor
            leave()
            return
        }
        while true {
            blanks()
            guard cursor < span.count else { throw JSONError(.unexpectedEnd, byte: cursor) }
            switch span[cursor] {
            case UInt8(ascii: "t") where allowingBooleans, UInt8(ascii: "f") where allowingBooleans:
                position = cursor
                values.append(try bool() ? 1 : 0)
                cursor = position
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                var scan = NumberScan(start: cursor)
                values.append(try scan.scan(span))
                cursor = scan.position
            default:
                // Bytes that start no value at all are malformed, not of another kind.
                position = cursor
                _ = try nextKind()
                throw JSONError(.wrongKind(expected: "a number"), byte: cursor)
            }
            blanks()
            guard cursor < span.count else { throw JSONError(.unexpectedEnd, byte: cursor) }
            if span[cursor] == UInt8(ascii: "]") { break }
            guard span[cursor] == UInt8(ascii: ",") else {
                throw JSONError(.unexpectedByte(span[cursor], expected: "',' or ']'"), byte: cursor)
            }
            cursor += 1
        }
        position = cursor
        leave()
    }
}

/// One pass over a number's text: its grammar, its decimal mantissa and exponent, and its nearest Double.
private struct NumberScan {
    let start: Int
    var position: Int
    var isInteger = true
    private var negative = false
    private var mantissa: UInt64 = 0
    private var digits = 0
    private var exponent = 0

    init(start: Int) {
        self.start = start
        self.position = start
    }

    /// Nil when the integer doesn't fit Int64, or is a negative zero, which only a Double can hold.
    var exactInteger: Int64? {
        guard digits <= 19 else { return nil }
        if !negative { return Int64(exactly: mantissa) }
        if mantissa == 0 { return nil }
        return mantissa <= UInt64(Int64.max) ? -Int64(mantissa) : (mantissa == 1 << 63 ? Int64.min : nil)
    }

    @inline(__always)
    mutating func scan(_ text: Span<UInt8>) throws(JSONError) -> Double {
        if text[position] == UInt8(ascii: "-") {
            negative = true
            position += 1
        }
        guard position < text.count else { throw JSONError(.unexpectedEnd, byte: position) }
        if text[position] == UInt8(ascii: "I") { throw JSONError(.nonFiniteNumber, byte: start) }
        let whole = position
        takeDigits(text)
        // RFC 8259 §6: at least one digit, and no leading zero.
        guard position > whole, text[whole] != UInt8(ascii: "0") || position == whole + 1 else {
            throw JSONError(.invalidNumber, byte: start)
        }
        if position < text.count, text[position] == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            let fraction = position
            takeDigits(text)
            guard position > fraction else { throw JSONError(.invalidNumber, byte: start) }
            exponent -= position - fraction
        }
        if position < text.count, text[position] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            try takeExponent(text)
        }
        // Clinger's fast path: both operands are exact Doubles, so one rounding gives the nearest.
        if digits <= 19, mantissa <= 1 << 53, exponent >= -22, exponent <= 22 {
            let exact = Double(mantissa)
            let scaled =
                exponent < 0
                ? exact / NumberScan.powersOfTen[-exponent] : exact * NumberScan.powersOfTen[exponent]
            return negative ? -scaled : scaled
        }
        return try nearest(text)
    }

    /// Exact powers of ten in Double (10^22 is the largest).
    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
        1e18,
        1e19, 1e20, 1e21, 1e22,
    ]

    @inline(__always)
    private mutating func takeDigits(_ text: Span<UInt8>) {
        while position < text.count {
            let digit = text[position] &- UInt8(ascii: "0")
            guard digit < 10 else { return }
            // Leading zeros don't count; past 19 digits the mantissa is no longer used.
            if digits > 0 || digit > 0 { digits += 1 }
            if digits <= 19 { mantissa = mantissa &* 10 &+ UInt64(digit) }
            position += 1
        }
    }

    private mutating func takeExponent(_ text: Span<UInt8>) throws(JSONError) {
        position += 1
        var sign = 1
        if position < text.count, text[position] == UInt8(ascii: "-") || text[position] == UInt8(ascii: "+") {
            if text[position] == UInt8(ascii: "-") { sign = -1 }
            position += 1
        }
        var value = 0
        let first = position
        while position < text.count, text[position] &- UInt8(ascii: "0") < 10 {
            // Enough to be out of range either way; more digits would overflow.
            if value < 100_000 { value = value * 10 + Int(text[position] &- UInt8(ascii: "0")) }
            position += 1
        }
        guard position > first else { throw JSONError(.invalidNumber, byte: start) }
        exponent += sign * value
    }

    /// strtod rounds correctly for any length; it reads a copy because the text has no terminator.
    private func nearest(_ text: Span<UInt8>) throws(JSONError) -> Double {
        let count = position - start
        let value = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: count + 1) { copy in
            for offset in 0..<count { unsafe copy[offset] = CChar(bitPattern: text[start + offset]) }
            unsafe copy[count] = 0
            guard let start = copy.baseAddress else { preconditionFailure("room for at least a terminator") }
            return unsafe strtod(start, nil)
        }
        guard value.isFinite else { throw JSONError(.numberOutOfRange, byte: start) }
        return value
    }
}
