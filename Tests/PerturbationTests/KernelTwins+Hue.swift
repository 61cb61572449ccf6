@testable import Perturbation

extension KernelTwins {
    /// Through 8-bit HSV and back, one pixel at a time: libImaging/Convert.c's `rgb2hsv_row` and `hsv2rgb`.
    static func turned(_ red: UInt8, _ green: UInt8, _ blue: UInt8, by shift: UInt8) -> [UInt8] {
        let (hue, saturation, value) = hsv(red, green, blue)
        let turned = rgb(hue &+ shift, saturation, value)
        return [turned.0, turned.1, turned.2]
    }

    private static func hsv(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> (UInt8, UInt8, UInt8) {
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

    private static func rgb(_ hue: UInt8, _ saturation: UInt8, _ value: UInt8) -> (UInt8, UInt8, UInt8) {
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
