/// The shortest decimal that reads back as one Float, the nearest to it among those: digits · 10^exponent.
///
/// The Float, and the middle between it and each of its neighbours, are scaled by one power of ten so that an integer
/// with the digits lies between them; of 64 bits of that power enough are exact.
/// Source: R. Giulietti, "The Schubfach way to render doubles" (2021), § 9 for the whole, its numbers for binary32.
struct ShortestDecimal {
    /// At most nine digits; it may end in zeros.
    let digits: UInt32
    let exponent: Int

    /// - Parameters: the bits of a finite, positive Float; `PowersOfFive.shared`, looked up once for many numbers.
    @inline(__always)
    init(of bits: UInt32, _ powers: PowersOfFive) {
        let fraction = bits & 0x7F_FFFF
        let field = Int(bits >> 23)
        // value = significand · 2^binary
        let significand = field == 0 ? fraction : fraction | 0x80_0000
        let binary = max(field, 1) - 150
        if binary <= 0, binary > -24, significand & (1 << UInt32(-binary) - 1) == 0 {
            (digits, exponent) = (significand >> UInt32(-binary), 0)
            return
        }

        // A power of two is twice as far from the Float above as from the one below.
        let isLopsided = fraction == 0 && field > 1
        // ⌊log10 of the distance between the two middles⌋, in fixed point.
        let decimal = (binary * 1_262_611 - (isLopsided ? 524_031 : 0)) >> 22
        let shift = UInt32(binary + (-decimal * 1_741_647) >> 19 + 1)
        // Rounded up, but where 64 bits hold it exactly.
        let power = powers.high(-decimal) + (powers.low(-decimal) == 0 ? 0 : 1)
        let middle = scaled(4 * significand, by: power, shift)
        // An even significand is what the middle itself rounds to.
        let isOdd = significand & 1
        let lower = scaled(4 * significand - (isLopsided ? 1 : 2), by: power, shift) + isOdd
        let upper = scaled(4 * significand + 2, by: power, shift) - isOdd

        let candidate = middle / 4
        if candidate >= 10 {
            // One digit less, if exactly one of the two candidates lies between.
            let shorter = candidate / 10
            let isBelowInside = lower <= 40 * shorter
            let isAboveInside = 40 * shorter + 40 <= upper
            if isBelowInside != isAboveInside {
                (digits, exponent) = (shorter + (isAboveInside ? 1 : 0), decimal + 1)
                return
            }
        }
        let isBelowInside = lower <= 4 * candidate
        let isAboveInside = 4 * candidate + 4 <= upper
        let isUp: Bool
        if isBelowInside != isAboveInside {
            isUp = isAboveInside
        } else {
            let half = 4 * candidate + 2
            isUp = middle > half || (middle == half && candidate & 1 == 1)
        }
        (digits, exponent) = (candidate + (isUp ? 1 : 0), decimal)
    }
}

/// value · 2^shift · power / 2^64, its last bit set where anything was cut off, so that it still compares rightly.
@inline(__always)
private func scaled(_ value: UInt32, by power: UInt64, _ shift: UInt32) -> UInt32 {
    let product = power.multipliedFullWidth(by: UInt64(value << shift))
    let rest = UInt32(truncatingIfNeeded: product.low >> 32)
    return UInt32(truncatingIfNeeded: product.high) | (rest > 1 ? 1 : 0)
}
