internal import Images

/// torchvision's `adjust_hue` on RGB samples in place: to Pillow's 8-bit HSV, the hue moved round the circle of 256
/// places, and back. The round trip changes samples even when the hue stays.
///
/// The conversions are those of libImaging/Convert.c (`rgb2hsv_row`, `hsv2rgb`) with C's mixture of Float32 and Double.
struct HueShift {
    /// ⌊|255 · factor|⌋ with the factor's sign, modulo 256.
    let shift: UInt8

    init(factor: Double) { shift = UInt8(truncatingIfNeeded: Int((factor * 255).rounded(.towardZero))) }

    func apply(to samples: inout [UInt8], _ watch: WorkWatch) throws(StepError) {
        var pixels = samples.mutableSpan
        var index = 0
        while index < pixels.count {
            try watch.goOn(128)
            let (hue, saturation, value) = Self.hsv(pixels[index], pixels[index + 1], pixels[index + 2])
            let (red, green, blue) = Self.rgb(hue &+ shift, saturation, value)
            pixels[index] = red
            pixels[index + 1] = green
            pixels[index + 2] = blue
            index += 3
        }
    }

    static func hsv(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> (UInt8, UInt8, UInt8) {
        let (most, least) = (max(red, green, blue), min(red, green, blue))
        guard most != least else { return (0, 0, most) }
        let range = Float(most - least)
        let fromRed = Float(most - red) / range
        let fromGreen = Float(most - green) / range
        let fromBlue = Float(most - blue) / range
        let sextant: Float =
            if red == most {
                fromBlue - fromGreen
            } else if green == most {
                Float(2.0 + Double(fromRed) - Double(fromBlue))
            } else {
                Float(4.0 + Double(fromGreen) - Double(fromRed))
            }
        // fmod(x, 1) of a number that is not negative.
        let turned = Double(sextant) / 6.0 + 1.0
        let hue = Float(turned - turned.rounded(.down))
        return (UInt8(Double(hue) * 255.0), UInt8(Double(range / Float(most)) * 255.0), most)
    }

    static func rgb(_ hue: UInt8, _ saturation: UInt8, _ value: UInt8) -> (UInt8, UInt8, UInt8) {
        guard saturation != 0 else { return (value, value, value) }
        let position = Double(Float(hue)) * 6.0 / 255.0
        let sextant = position.rounded(.down)
        let fraction = Float(position - Double(Float(sextant)))
        let share = Float(Double(Float(saturation)) / 255.0)
        func level(_ kept: Double) -> UInt8 {
            UInt8((Double(value) * kept).rounded(.toNearestOrAwayFromZero))
        }
        let low = level(1.0 - Double(share))
        let falling = level(1.0 - Double(share * fraction))
        let rising = level(1.0 - Double(share) * (1.0 - Double(fraction)))
        return switch Int(sextant) % 6 {
        case 0: (value, rising, low)
        case 1: (falling, value, low)
        case 2: (low, value, rising)
        case 3: (low, falling, value)
        case 4: (rising, low, value)
        default: (value, low, falling)
        }
    }
}
