internal import Images

extension PixelImage {
    /// Returns the samples for modification. Linear in their number.
    func copiedSamples(_ watch: WorkWatch) throws(StepError) -> [UInt8] {
        guard let copy = Samples.copy(of: pixels.span, watch) else { throw .unwanted }
        return copy
    }

    /// Returns the picture with `level` applied to every sample. Linear in the samples.
    ///
    /// It is inlined, so that the loop over a function as simple as a mask is vectorized. A table of 256 levels takes
    /// eight times as long.
    @inline(__always)
    func mapped(_ watch: WorkWatch, _ level: (UInt8) -> UInt8) throws(StepError) -> PixelImage {
        var samples = try copiedSamples(watch)
        var pixels = samples.mutableSpan
        for start in stride(from: 0, to: pixels.count, by: WorkWatch.band) {
            try watch.goOn(WorkWatch.band)
            for index in start..<min(start + WorkWatch.band, pixels.count) {
                pixels[index] = level(pixels[index])
            }
        }
        return PixelImage(width: width, height: height, samples: samples)
    }

    /// The samples of a picture of one color.
    static func blankSamples(
        _ size: PixelSize, _ color: FillColor, _ watch: WorkWatch
    ) throws(StepError) -> [UInt8] {
        guard var samples = Samples.repeating(color.red, count: size.pixelCount * 3, watch) else {
            throw .unwanted
        }
        // All samples of a gray picture are equal and need no second pass.
        if color.red != color.green || color.red != color.blue {
            var pixels = samples.mutableSpan
            try pixels.fill(
                left: 0, top: 0, width: size.width, height: size.height, stride: size.width, with: color,
                watch)
        }
        return samples
    }

    /// A picture of one color.
    static func blank(
        _ size: PixelSize, _ color: FillColor, _ watch: WorkWatch
    ) throws(StepError) -> PixelImage {
        PixelImage(
            width: size.width, height: size.height, samples: try blankSamples(size, color, watch))
    }
}

extension MutableSpan<UInt8> {
    /// One color over a rectangle of RGB pixels in rows of `stride` pixels. Linear in its pixels.
    mutating func fill(
        left: Int, top: Int, width: Int, height: Int, stride: Int, with color: FillColor, _ watch: WorkWatch
    ) throws(StepError) {
        let band = WorkWatch.band / 4
        for row in top..<(top + height) {
            var offset = (row * stride + left) * 3
            for start in Swift.stride(from: 0, to: width, by: band) {
                let count = Swift.min(band, width - start)
                try watch.goOn(8 + 4 * count)
                for _ in 0..<count {
                    self[offset] = color.red
                    self[offset + 1] = color.green
                    self[offset + 2] = color.blue
                    offset += 3
                }
            }
        }
    }

    /// Pillow's `paste` of a whole picture into RGB pixels in rows of `stride` pixels. Linear in its pixels.
    ///
    /// - Precondition: the picture lies inside.
    mutating func paste(
        _ image: PixelImage, left: Int, top: Int, stride: Int, _ watch: WorkWatch
    ) throws(StepError) {
        let pixels = image.pixels
        let source = pixels.span
        for row in 0..<image.height {
            let to = ((top + row) * stride + left) * 3
            let from = row * image.width * 3
            for start in Swift.stride(from: 0, to: image.width * 3, by: WorkWatch.band) {
                let count = Swift.min(WorkWatch.band, image.width * 3 - start)
                try watch.goOn(8 + count)
                for index in start..<(start + count) { self[to + index] = source[from + index] }
            }
        }
    }
}

extension WorkWatch {
    /// Announces this number of operations.
    /// - Throws: `unwanted` once the result is no longer wanted.
    @inline(__always)
    func goOn(_ operations: Int) throws(StepError) {
        guard goesOn(operations) else { throw .unwanted }
    }
}
