/// The Double nearest to mantissa · 10^exponent, ties to even; infinity beyond its range.
///
/// - Parameter powers: `PowersOfFive.shared`, looked up once for many numbers.
///
/// One or two products of 64 bits decide it for every mantissa of up to 19 digits.
/// Source: D. Lemire, "Number parsing at a gigabyte per second" (2021); that nothing stays undecided is shown in
/// N. Mushtak and D. Lemire, "Fast number parsing without fallback" (2022).
@inline(__always)
func nearestDouble(_ mantissa: UInt64, exponent: Int, _ powers: PowersOfFive) -> Double {
    if mantissa == 0 || exponent < PowersOfFive.exponents.lowerBound { return 0 }
    if exponent > PowersOfFive.exponents.upperBound { return .infinity }

    let zeros = mantissa.leadingZeroBitCount
    let shifted = mantissa << UInt64(zeros)
    var product = shifted.multipliedFullWidth(by: powers.high(exponent))
    // 55 bits are needed: 53, one that may be lost to normalising, one to round. Only when all below them are ones could
    // the lower half of the power carry into them.
    if product.high & 0x1FF == 0x1FF {
        let (sum, overflow) = product.low.addingReportingOverflow(
            shifted.multipliedFullWidth(by: powers.low(exponent)).high)
        product = (product.high &+ (overflow ? 1 : 0), sum)
    }

    let upper = Int(product.high >> 63)
    var bits = product.high >> UInt64(upper + 9)
    // ⌊exponent · log2(10)⌋ by a fixed-point product, then Double's bias.
    var binary = (217_706 * exponent) >> 16 + 63 + upper - zeros + 1023
    if binary <= 0 {
        // Subnormal: fewer bits are left.
        if binary <= -63 { return 0 }
        bits >>= UInt64(1 - binary)
        bits = (bits + bits & 1) >> 1
        return Double(bitPattern: bits)
    }
    // Exactly between two Doubles: to even. That happens only where the power is exact.
    if product.low <= 1, exponent >= -4, exponent <= 23, bits & 3 == 1,
        bits << UInt64(upper + 9) == product.high
    {
        bits &= ~1
    }
    bits = (bits + bits & 1) >> 1
    if bits >= 1 << 53 {
        bits = 1 << 52
        binary += 1
    }
    if binary >= 0x7FF { return .infinity }
    return Double(bitPattern: bits & (1 << 52 - 1) | UInt64(binary) << 52)
}
