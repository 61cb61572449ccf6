/// e^x for 16 lanes of x in [−87, 0], to about 1 ulp.
///
/// Cody–Waite reduction x = k·ln2 + r with |r| ≤ ln2/2, then a degree-6 polynomial for e^r. Only additions,
/// multiplications and integer shifts, so that every instruction set compiles it to plain vector code; NaN is not
/// preserved, the caller detects it.
@inline(__always)
func exponential(_ x: SIMD16<Float>) -> SIMD16<Float> {
    // Adding 1.5·2^23 leaves the nearest integer k in the low mantissa bits.
    let shifter: Float = 12_582_912
    let shifted = x * 1.442_695_04 + shifter
    let k = shifted - shifter
    let r = (x - k * 0.693_359_375) - k * -2.121_944_4e-4
    var p = r * 1.388_937_3e-3 + 8.333_426_5e-3
    p = p * r + 4.166_657_4e-2
    p = p * r + 1.666_666_6e-1
    p = p * r + 0.5
    p = p * (r * r) + r + 1
    // Bit patterns of equal size: k is added to the exponent field.
    let bits = unsafe unsafeBitCast(p, to: SIMD16<UInt32>.self)
    let exponent = unsafe unsafeBitCast(shifted, to: SIMD16<UInt32>.self) &<< 23
    return unsafe unsafeBitCast(bits &+ exponent, to: SIMD16<Float>.self)
}
