/// An 8-bit RGB picture: `samples` has the shape [H, W, 3], row by row from the top left, without padding.
///
/// Invariant: `width` ≥ 1, `height` ≥ 1 and `samples.count == width * height * 3`.
package struct PixelImage: Sendable, Equatable {
    package let width: Int
    package let height: Int
    package let samples: [UInt8]

    /// - Precondition: both sides are at least 1 and `samples` holds exactly [height, width, 3].
    package init(width: Int, height: Int, samples: [UInt8]) {
        precondition(width > 0 && height > 0, "an image has at least one pixel")
        precondition(samples.count == width * height * 3, "samples must be [height, width, 3]")
        self.width = width
        self.height = height
        self.samples = samples
    }

    package var size: PixelSize { PixelSize(width: width, height: height) }
}
