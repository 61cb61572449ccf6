internal import Images

/// Pillow's `ImageEnhance` on RGB samples in place. Linear in the samples.
enum Enhancement {
    /// Blends with black.
    static func brightness(
        of samples: inout [UInt8], factor: Float, kernels: PixelKernels = .best, _ watch: WorkWatch
    ) throws(StepError) {
        guard factor != 1 else { return }
        try kernels.blend(&samples, factor: factor, level: 0, watch)
    }

    /// Blends with the mean of the luma picture, rounded half up, as a gray level.
    static func contrast(
        of samples: inout [UInt8], factor: Float, kernels: PixelKernels = .best, _ watch: WorkWatch
    ) throws(StepError) {
        guard factor != 1 else { return }
        // `int(mean + 0.5)` with the mean as one Double division, as `ImageStat` does.
        let mean = Double(try kernels.lumaSum(samples, watch)) / Double(samples.count / 3)
        try kernels.blend(&samples, factor: factor, level: UInt8(mean + 0.5), watch)
    }

    /// Blends every pixel with its own luma.
    static func saturation(
        of samples: inout [UInt8], factor: Float, kernels: PixelKernels = .best, _ watch: WorkWatch
    ) throws(StepError) {
        guard factor != 1 else { return }
        try kernels.blendWithLuma(&samples, factor: factor, watch)
    }
}
