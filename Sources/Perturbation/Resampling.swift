internal import Images

/// Pillow's `resize` with the bilinear filter (libImaging/Resample.c): a horizontal, then a vertical pass, each a sum of
/// weights in 22-bit fixed point, rounded to a level in between.
enum Resampling {
    struct Crop: Equatable {
        let left, top, width, height: Int
    }

    /// The crop at the given size. Linear in the pixels read and written, times the filter's width (two weights when the
    /// crop is enlarged); working memory is a few rows.
    static func bilinear(
        _ image: PixelImage, crop: Crop, to size: PixelSize, kernels: PixelKernels = .best
    ) -> PixelImage {
        kernels.resample(
            image, left: crop.left, top: crop.top, to: size,
            across: crop.width == size.width ? nil : ResamplingWeights(from: crop.width, to: size.width),
            down: crop.height == size.height ? nil : ResamplingWeights(from: crop.height, to: size.height))
    }
}
