package import Images

/// Pillow's `resize` with the bilinear filter (libImaging/Resample.c): a horizontal, then a vertical pass, each a sum of
/// weights in 22-bit fixed point, rounded to a level in between.
enum Resampling {
    /// Returns the crop at the given size. Linear in the pixels read and written, times the filter's width (two weights
    /// if the crop is enlarged). Working memory stays below three megabytes for all shapes.
    static func bilinear(
        _ image: PixelImage, crop: PixelRectangle, to size: PixelSize, kernels: PixelKernels = .best,
        _ watch: WorkWatch = WorkWatch()
    ) throws(StepError) -> PixelImage {
        try kernels.resample(image, crop, to: size, watch)
    }

    static func demand(for crop: PixelRectangle, to size: PixelSize) -> WorkDemand {
        let made = WorkDemand.picture(
            size, extra: PixelKernels.resampleBytes(crop, to: size), operations: 0)
        // Every row that is read becomes one of the target's width. The supports overlap twice on both axes. A narrow
        // row costs as much as one of eight pixels.
        let (wide, read) = (max(8, size.width), max(8, crop.width))
        let isAcross = crop.width != size.width, isDown = crop.height != size.height
        let across = crop.height.timesSaturating(
            (isAcross ? max(read, wide).timesSaturating(8) : wide).plusSaturating(Self.rowOperations))
        let down = isDown ? max(crop.height, size.height).timesSaturating(wide).timesSaturating(8) : 0
        let weights = (isAcross ? size.width : 0).plusSaturating(isDown ? size.height : 0)
        return made.costing(
            across.plusSaturating(down).plusSaturating(weights.timesSaturating(Self.weightOperations)))
    }

    private static let rowOperations = 40
    /// The first weight of one position in the target, and the sum of its weights.
    private static let weightOperations = 90
}

extension PixelImage {
    /// Pillow's `resize(size, BILINEAR)`. Since version 13 the vertical pass comes first if the height loses more than
    /// twice as many pixels as the width. The rounding between the passes makes the order visible.
    ///
    /// - Throws: if the result is no longer wanted.
    package func resized(to size: PixelSize, _ watch: WorkWatch = WorkWatch()) throws(StepError) -> PixelImage
    {
        guard let between = Self.sizeBetween(self.size, size) else { return try stretched(to: size, watch) }
        return try stretched(to: between, watch).stretched(to: size, watch)
    }

    /// Returns the demand of `resized(to:)` for a picture of size `source`.
    package static func resizingDemand(from source: PixelSize, to size: PixelSize) -> WorkDemand {
        guard let between = sizeBetween(source, size) else {
            return Resampling.demand(for: .init(source), to: size)
        }
        return Resampling.demand(for: .init(source), to: between)
            .followed(by: Resampling.demand(for: .init(between), to: size))
    }

    /// The size of the picture between the passes if the vertical one comes first.
    private static func sizeBetween(_ source: PixelSize, _ size: PixelSize) -> PixelSize? {
        let isMuchLower =
            source.height > size.height && source.height - size.height > 2 * (source.width - size.width)
        guard isMuchLower, source.width != size.width else { return nil }
        return PixelSize(width: source.width, height: size.height)
    }

    private func stretched(to size: PixelSize, _ watch: WorkWatch) throws(StepError) -> PixelImage {
        try Resampling.bilinear(self, crop: .init(self.size), to: size, watch)
    }
}
