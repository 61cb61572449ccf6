/// The leading 128 bits of 5^q, the highest bit set, for every q that a decimal text of a finite, non-zero Double needs.
///
/// Both directions between decimal and binary rest on them: 10^q = 5^q·2^q. They are worked out exactly when first used,
/// in about a millisecond. Truncated, but rounded up for −27 ≤ q < 0, where that makes the nearest Double of every
/// product decidable.
/// Source: D. Lemire, "Number parsing at a gigabyte per second", Software: Practice and Experience 51 (2021), §§ 5, 7.
struct PowersOfFive: Sendable {
    static let exponents = -342...308
    static let shared = PowersOfFive()

    private let halves: [UInt64]

    private init() {
        var positive: [UInt64] = []
        var negative: [UInt64] = []
        var power = Natural.one
        for exponent in 0...(-PowersOfFive.exponents.lowerBound) {
            if exponent > 0 {
                let reciprocal = power.leadingBitsOfReciprocal + (exponent <= 27 ? 1 : 0)
                negative += [UInt64(truncatingIfNeeded: reciprocal), UInt64(reciprocal >> 64)]
            }
            if exponent <= PowersOfFive.exponents.upperBound {
                let bits = power.leadingBits
                positive += [UInt64(bits >> 64), UInt64(truncatingIfNeeded: bits)]
            }
            power.multiplyByFive()
        }
        halves = negative.reversed() + positive
    }

    /// All of them, from the least exponent on, the upper half of each first.
    @unsafe
    func withHalves<Result>(_ body: (UnsafePointer<UInt64>?) -> Result) -> Result {
        unsafe halves.withUnsafeBufferPointer { unsafe body($0.baseAddress) }
    }

    @inline(__always)
    func high(_ exponent: Int) -> UInt64 { halves[2 * (exponent - PowersOfFive.exponents.lowerBound)] }

    @inline(__always)
    func low(_ exponent: Int) -> UInt64 { halves[2 * (exponent - PowersOfFive.exponents.lowerBound) + 1] }
}

/// A natural number below 2^896, lowest word first: 5^342 has 795 bits.
private struct Natural {
    static let one = Natural(words: [1] + [UInt64](repeating: 0, count: 13))

    var words: [UInt64]

    var bitWidth: Int {
        guard let top = words.lastIndex(where: { $0 != 0 }) else { return 0 }
        return top * 64 + 64 - words[top].leadingZeroBitCount
    }

    mutating func multiplyByFive() {
        var carry: UInt64 = 0
        for index in words.indices {
            let product = words[index].multipliedFullWidth(by: 5)
            let (sum, overflow) = product.low.addingReportingOverflow(carry)
            words[index] = sum
            carry = product.high + (overflow ? 1 : 0)
        }
    }

    /// ⌊self · 2^(128 − width)⌋
    var leadingBits: UInt128 {
        var bits: UInt128 = 0
        for offset in 0..<128 {
            let position = bitWidth - 1 - offset
            guard position >= 0 else { return bits << UInt128(128 - offset) }
            bits = bits << 1 | UInt128(words[position / 64] >> UInt64(position % 64) & 1)
        }
        return bits
    }

    /// ⌊2^(width + 127) / self⌋, which has 128 bits for all but powers of two; by long division.
    var leadingBitsOfReciprocal: UInt128 {
        let width = bitWidth
        var remainder = Natural(words: [UInt64](repeating: 0, count: words.count))
        remainder.words[(width - 1) / 64] = 1 << UInt64((width - 1) % 64)
        var bits: UInt128 = 0
        for _ in 0..<128 {
            remainder.double()
            bits <<= 1
            if remainder.subtract(self) { bits |= 1 }
        }
        return bits
    }

    private mutating func double() {
        var carry: UInt64 = 0
        for index in words.indices {
            let next = words[index] >> 63
            words[index] = words[index] << 1 | carry
            carry = next
        }
    }

    /// Subtracts `other` if it is no larger; whether it did.
    private mutating func subtract(_ other: Natural) -> Bool {
        for index in words.indices.reversed() where words[index] != other.words[index] {
            if words[index] < other.words[index] { return false }
            break
        }
        var borrow: UInt64 = 0
        for index in words.indices {
            let (first, one) = words[index].subtractingReportingOverflow(other.words[index])
            let (second, two) = first.subtractingReportingOverflow(borrow)
            words[index] = second
            borrow = one || two ? 1 : 0
        }
        return true
    }
}
