/// Puts Floats as text into bytes, in the words of `Float.description`: `0.25`, `1e-05`, `1.6777218e+07`.
enum FloatText {
    /// Bytes that one number takes at most.
    static let longest = 15
    /// Bytes beyond its text that writing one number may touch.
    static let slack = 17

    /// Writes `value`, finite and not 0, from `cursor` on; `cursor` then stands behind it.
    @inline(__always)
    static func write(
        _ value: Float, into bytes: inout MutableRawSpan, at cursor: inout Int, _ powers: PowersOfFive
    ) {
        if value.sign == .minus {
            bytes.storeBytes(of: UInt8(ascii: "-"), toByteOffset: cursor, as: UInt8.self)
            cursor += 1
        }
        let decimal = ShortestDecimal(of: value.magnitude.bitPattern, powers)
        let length = digitCount(decimal.digits)
        // As nine digits, the first of them not 0.
        let aligned = decimal.digits * powersOfTen[9 - length]
        let (first, rest) = aligned.quotientAndRemainder(dividingBy: 100_000_000)
        let tail = digits(of: UInt64(rest))
        let significant = tail == 0 ? 1 : 9 - tail.leadingZeroBitCount / 8
        let zeros = UInt128(0x3030_3030_3030_3030) << 64 | 0x3030_3030_3030_3030
        let text = (zeros | UInt128(tail) << 8 | UInt128(first)).littleEndian
        // value = first.rest · 10^exponent
        let exponent = decimal.exponent + length - 1

        if exponent < 0, exponent >= -4 {
            // "0.000", as far as there are zeros, then all digits.
            bytes.storeBytes(
                of: UInt64(0x3030_3030_3030_2E30).littleEndian, toByteOffset: cursor, as: UInt64.self)
            bytes.storeBytes(of: text, toByteOffset: cursor + 1 - exponent, as: UInt128.self)
            cursor += 1 - exponent + significant
        } else if exponent >= 0, value.magnitude <= 16_777_216 {
            bytes.storeBytes(of: text, toByteOffset: cursor, as: UInt128.self)
            bytes.storeBytes(of: UInt8(ascii: "."), toByteOffset: cursor + exponent + 1, as: UInt8.self)
            bytes.storeBytes(
                of: (text.littleEndian >> UInt128(8 * exponent + 8)).littleEndian,
                toByteOffset: cursor + exponent + 2, as: UInt128.self)
            cursor += max(significant, exponent + 2) + 1
        } else {
            // d.ddd
            bytes.storeBytes(of: text, toByteOffset: cursor, as: UInt128.self)
            bytes.storeBytes(of: UInt8(ascii: "."), toByteOffset: cursor + 1, as: UInt8.self)
            bytes.storeBytes(
                of: (text.littleEndian >> 8).littleEndian, toByteOffset: cursor + 2, as: UInt128.self)
            cursor += significant == 1 ? 1 : significant + 1
            let (tens, ones) = UInt32(exponent.magnitude).quotientAndRemainder(dividingBy: 10)
            let sign = exponent < 0 ? UInt32(UInt8(ascii: "-")) : UInt32(UInt8(ascii: "+"))
            let suffix = 0x3030_0065 | sign << 8 | tens << 16 | ones << 24
            bytes.storeBytes(of: suffix.littleEndian, toByteOffset: cursor, as: UInt32.self)
            cursor += 4
        }
    }

    private static let powersOfTen: [UInt32] = [
        1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
    ]

    /// How many decimal digits a number from 1 to 999,999,999 has.
    @inline(__always)
    private static func digitCount(_ value: UInt32) -> Int {
        // ⌊bits · log10(2)⌋ is right or one too few.
        let estimate = ((32 - value.leadingZeroBitCount) * 1233) >> 12
        return estimate + (value >= powersOfTen[estimate] ? 1 : 0)
    }

    /// The eight decimal digits of a number below 10^8, one a byte, the highest in the lowest byte.
    @inline(__always)
    private static func digits(of value: UInt64) -> UInt64 {
        // Fours, then pairs, then digits, side by side in one register; the products divide by 100 and by 10.
        let (high, low) = value.quotientAndRemainder(dividingBy: 10_000)
        let fours = high | low << 32
        let hundreds = (fours &* 10_486) >> 20 & 0x0000_007F_0000_007F
        let pairs = hundreds | (fours &- hundreds &* 100) << 16
        let tens = (pairs &* 103) >> 10 & 0x000F_000F_000F_000F
        return tens | (pairs &- tens &* 10) << 8
    }
}
