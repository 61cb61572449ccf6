/// e^x for 16 lanes of x in [−87, 0], to about 1 ulp.
///
/// Cody–Waite reduction x = k·ln2 + r with |r| ≤ ln2/2, then a degree-7 minimax polynomial for e^r (the coefficients of
/// Cephes' expf). Only additions, multiplications and integer shifts, so that every instruction set compiles it to plain
/// vector code; NaN is not preserved, the caller detects it.
@inline(__always)
func exponential(_ x: SIMD16<Float>) -> SIMD16<Float> {
    // Adding 1.5·2^23 leaves the nearest integer k in the low mantissa bits.
    let shifter: Float = 12_582_912
    let shifted = x * 1.442_695_04 + shifter
    let k = shifted - shifter
    let r = (x - k * 0.693_359_375) - k * -2.121_944_4e-4
    var p = r * 1.987_569_15e-4 + 1.398_199_950_7e-3
    p = p * r + 8.333_451_907_3e-3
    p = p * r + 4.166_579_589_4e-2
    p = p * r + 1.666_666_545_9e-1
    p = p * r + 5.000_000_120_1e-1
    p = p * (r * r) + r + 1
    // Bit patterns of equal size: k is added to the exponent field.
    let bits = unsafe unsafeBitCast(p, to: SIMD16<UInt32>.self)
    let exponent = unsafe unsafeBitCast(shifted, to: SIMD16<UInt32>.self) &<< 23
    return unsafe unsafeBitCast(bits &+ exponent, to: SIMD16<Float>.self)
}
