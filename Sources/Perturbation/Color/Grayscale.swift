package import Images

/// Gives all three channels the pixel's luma, as torchvision's `to_grayscale(image, 3)`. Equal to it in every sample.
package struct Grayscale: ParameterlessStep {
    package static let name = "grayscale"
    package static let summary = "Gives all three channels the pixel's luma."

    package init() {}

    package func demand(for size: PixelSize) -> WorkDemand { .picture(size, operations: 20) }

    package func apply(to image: PixelImage, _ watch: WorkWatch) throws(StepError) -> PixelImage {
        var samples = try image.copiedSamples(watch)
        var pixels = samples.mutableSpan
        var index = 0
        while index < pixels.count {
            try watch.goOn(8)
            let gray = Self.luma(pixels[index], pixels[index + 1], pixels[index + 2])
            pixels[index] = gray
            pixels[index + 1] = gray
            pixels[index + 2] = gray
            index += 3
        }
        return PixelImage(width: image.width, height: image.height, samples: samples)
    }

    /// The conversion to mode L: ITU-R 601-2 luma in 16-bit fixed point.
    private static func luma(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
        let sum = UInt32(red) * 19595 + UInt32(green) * 38470 + UInt32(blue) * 7471 + 0x8000
        return UInt8(truncatingIfNeeded: sum >> 16)
    }
}
