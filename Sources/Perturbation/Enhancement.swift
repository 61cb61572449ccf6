/// Pillow's `ImageEnhance` on RGB samples in place. Linear in the samples.
enum Enhancement {
    /// Blends with black.
    static func brightness(of samples: inout [UInt8], factor: Float) {
        guard factor != 1 else { return }
        map(&samples, through: Blend(factor: factor).table(degenerate: 0))
    }

    /// Blends with the mean of the luma picture, rounded half up, as a gray level.
    static func contrast(of samples: inout [UInt8], factor: Float) {
        guard factor != 1 else { return }
        map(&samples, through: Blend(factor: factor).table(degenerate: meanLuma(of: samples)))
    }

    /// Blends every pixel with its own luma.
    static func saturation(of samples: inout [UInt8], factor: Float) {
        guard factor != 1 else { return }
        let blend = Blend(factor: factor)
        var pixels = samples.mutableSpan
        var index = 0
        while index < pixels.count {
            let gray = luma(pixels[index], pixels[index + 1], pixels[index + 2])
            pixels[index] = blend(gray, pixels[index])
            pixels[index + 1] = blend(gray, pixels[index + 1])
            pixels[index + 2] = blend(gray, pixels[index + 2])
            index += 3
        }
    }

    /// The conversion to mode L: ITU-R 601-2 luma in 16-bit fixed point.
    static func luma(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
        UInt8(
            truncatingIfNeeded: (UInt32(red) * 19595 + UInt32(green) * 38470 + UInt32(blue) * 7471 + 0x8000)
                >> 16)
    }

    /// `int(mean + 0.5)` with the mean as one Double division, as `ImageStat` does.
    private static func meanLuma(of samples: [UInt8]) -> UInt8 {
        let pixels = samples.span
        var sum = 0
        var index = 0
        while index < pixels.count {
            sum += Int(luma(pixels[index], pixels[index + 1], pixels[index + 2]))
            index += 3
        }
        return UInt8(Double(sum) / Double(pixels.count / 3) + 0.5)
    }

    private static func map(_ samples: inout [UInt8], through table: [UInt8]) {
        var pixels = samples.mutableSpan
        let table = table.span
        for index in pixels.indices { pixels[index] = table[Int(pixels[index])] }
    }
}

/// Pillow's `Image.blend` of two levels: `degenerate + factor · (level − degenerate)` in Float32, truncated. Outside
/// 0 … 1 the result is clipped.
struct Blend {
    let factor: Float
    private let extrapolates: Bool

    init(factor: Float) {
        self.factor = factor
        extrapolates = !(0...1).contains(factor)
    }

    func callAsFunction(_ degenerate: UInt8, _ level: UInt8) -> UInt8 {
        let value = Float(degenerate) + factor * Float(Int32(level) - Int32(degenerate))
        guard extrapolates else { return UInt8(value) }
        return UInt8(min(max(value, 0), 255))
    }

    /// The blend of every level with one degenerate level.
    func table(degenerate: UInt8) -> [UInt8] { (0...255).map { self(degenerate, UInt8($0)) } }
}
