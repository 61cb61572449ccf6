import Glibc

/// One pass over a number's text: its grammar, its decimal mantissa and exponent, and its nearest Double.
struct NumberScan {
    let start: Int
    private(set) var position: Int
    private(set) var isInteger = true
    private var negative = false
    /// All digits as one integer; meaningless beyond 19 significant ones.
    private var mantissa: UInt64 = 0
    /// Of all kinds, leading zeros too.
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

    /// - Parameter text: a digit or a minus stands at `start`.
    @inline(__always)
    mutating func scan(_ text: Span<UInt8>, _ powers: PowersOfFive) throws(JSONError) -> Double {
        if text[position] == UInt8(ascii: "-") {
            negative = true
            position += 1
        }
        guard position < text.count else { throw JSONError(.unexpectedEnd, byte: position) }
        if text[position] == UInt8(ascii: "I") { throw JSONError(.nonFiniteNumber, byte: start) }
        let whole = position
        if position + 1 < text.count, text[position + 1] == UInt8(ascii: "."),
            text[position] &- UInt8(ascii: "0") < 10
        {
            // What nearly all numbers here begin with.
            mantissa = UInt64(text[position] &- UInt8(ascii: "0"))
            position += 1
        } else {
            readDigits(text)
        }
        // RFC 8259 §6: at least one digit, and no leading zero.
        guard position > whole, text[whole] != UInt8(ascii: "0") || position == whole + 1 else {
            throw JSONError(.invalidNumber, byte: start)
        }
        digits = position - whole
        if position < text.count, text[position] == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            let fraction = position
            readDigits(text)
            guard position > fraction else { throw JSONError(.invalidNumber, byte: start) }
            exponent -= position - fraction
            digits += position - fraction
        }
        if position < text.count, text[position] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            try readExponent(text)
        }
        if digits > 19, digits - leadingZeros(text) > 19 { return try nearestOfManyDigits(text) }
        let magnitude: Double
        if mantissa <= 1 << 53, exponent >= -22, exponent <= 22 {
            // Clinger's fast path: both operands are exact Doubles, so one rounding gives the nearest.
            let exact = Double(mantissa)
            magnitude =
                exponent < 0
                ? exact / NumberScan.powersOfTen[-exponent] : exact * NumberScan.powersOfTen[exponent]
        } else {
            magnitude = nearestDouble(mantissa, exponent: exponent, powers)
            guard magnitude.isFinite else { throw JSONError(.numberOutOfRange, byte: start) }
        }
        return negative ? -magnitude : magnitude
    }

    /// Exact powers of ten in Double (10^22 is the largest).
    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
        1e18, 1e19, 1e20, 1e21, 1e22,
    ]

    private static let smallPowersOfTen: [UInt64] = [
        1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000,
    ]

    /// Eight bytes at a time: the first that is no digit is found, and those before it are added up, without a branch
    /// for each.
    @inline(__always)
    private mutating func readDigits(_ text: Span<UInt8>) {
        let raw = unsafe text.bytes
        while position + 8 <= text.count {
            // In bounds by the condition above.
            let word = unsafe raw.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt64.self)
                .littleEndian
            let values = word &- 0x3030_3030_3030_3030
            // The high bit of each byte below '0' or above '9'; those after the first such byte may be wrong.
            let strangers = (word &+ 0x4646_4646_4646_4646 | values | word) & 0x8080_8080_8080_8080
            let count = strangers.trailingZeroBitCount >> 3
            // Digits move to the high bytes, as if zeros stood before them.
            mantissa =
                mantissa &* NumberScan.smallPowersOfTen[count]
                &+ eightDigits(values << UInt64(64 - 8 * count))
            position += count
            if count < 8 { return }
        }
        while position < text.count {
            let digit = text[position] &- UInt8(ascii: "0")
            guard digit < 10 else { return }
            mantissa = mantissa &* 10 &+ UInt64(digit)
            position += 1
        }
    }

    private mutating func readExponent(_ text: Span<UInt8>) throws(JSONError) {
        position += 1
        var sign = 1
        if position < text.count, text[position] == UInt8(ascii: "-") || text[position] == UInt8(ascii: "+") {
            if text[position] == UInt8(ascii: "-") { sign = -1 }
            position += 1
        }
        var value = 0
        let first = position
        while position < text.count, text[position] &- UInt8(ascii: "0") < 10 {
            // No body has so many digits that a fraction brings a number with this exponent back into range. Further digits
            // would overflow.
            if value < 1_000_000_000_000 { value = value * 10 + Int(text[position] &- UInt8(ascii: "0")) }
            position += 1
        }
        guard position > first else { throw JSONError(.invalidNumber, byte: start) }
        exponent += sign * value
    }

    /// Zeros before the first other digit, or before the exponent or the end.
    private func leadingZeros(_ text: Span<UInt8>) -> Int {
        var zeros = 0
        for cursor in start..<position {
            switch text[cursor] {
            case UInt8(ascii: "0"): zeros += 1
            case UInt8(ascii: "-"), UInt8(ascii: "."): continue
            default: return zeros
            }
        }
        return zeros
    }

    /// strtod rounds correctly for any length; it reads a copy because the text has no terminator.
    private func nearestOfManyDigits(_ text: Span<UInt8>) throws(JSONError) -> Double {
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

/// The number whose decimal digits are the eight bytes, lowest byte first; by three multiplications.
@inline(__always)
private func eightDigits(_ bytes: UInt64) -> UInt64 {
    // Pairs, then both pairs of each half, then both halves, each product landing in the upper half.
    let pairs = bytes &* 10 &+ bytes >> 8
    let upper = (pairs & 0x0000_00FF_0000_00FF) &* (100 + 1_000_000 << 32)
    let lower = (pairs >> 16 & 0x0000_00FF_0000_00FF) &* (1 + 10_000 << 32)
    return (upper &+ lower) >> 32
}
