internal import Images

/// torchvision's `adjust_hue` on RGB samples in place: converts to Pillow's 8-bit HSV, moves the hue on the circle of
/// 256 values, and converts back. The round trip changes samples even if the hue stays.
///
/// The conversions are those of libImaging/Convert.c (`rgb2hsv_row`, `hsv2rgb`) with C's mixture of Float32 and Double.
struct HueShift {
    /// ⌊|255 · factor|⌋ with the factor's sign, modulo 256.
    let shift: UInt8

    init(factor: Double) { shift = UInt8(truncatingIfNeeded: Int((factor * 255).rounded(.towardZero))) }

    func apply(
        to samples: inout [UInt8], kernels: PixelKernels = .best, _ watch: WorkWatch
    ) throws(StepError) {
        try kernels.turnHue(&samples, by: shift, watch)
    }
}
