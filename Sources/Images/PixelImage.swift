/// An 8-bit RGB picture: `pixels` has the shape [H, W, 3], row by row from the top left, without padding.
///
/// The pixels may be a slice of a larger array, such as a request's body, without a copy.
///
/// Invariant: `width` ≥ 1, `height` ≥ 1 and `pixels.count == width * height * 3`.
package struct PixelImage: Sendable, Equatable {
    package let width: Int
    package let height: Int
    /// The indices may begin at any number.
    package let pixels: ArraySlice<UInt8>

    /// - Precondition: both sides are at least 1 and `samples` holds exactly [height, width, 3].
    package init(width: Int, height: Int, samples: [UInt8]) {
        self.init(width: width, height: height, pixels: samples[...])
    }

    /// - Precondition: both sides are at least 1 and `pixels` holds exactly [height, width, 3].
    package init(width: Int, height: Int, pixels: ArraySlice<UInt8>) {
        precondition(width > 0 && height > 0, "an image has at least one pixel")
        precondition(pixels.count == width * height * 3, "samples must be [height, width, 3]")
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// The pixels as an array: the same array if they fill it, otherwise a copy.
    package var samples: [UInt8] { Array(pixels) }

    package var size: PixelSize { PixelSize(width: width, height: height) }
}
