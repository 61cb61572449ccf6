internal import Images

extension PixelImage {
    /// Every sample replaced by its entry in a table of 256 levels. Linear in the samples.
    func mapped(through table: [UInt8]) -> PixelImage {
        precondition(table.count == 256, "a level is a byte")
        var samples = self.samples
        Enhancement.map(&samples, through: table)
        return PixelImage(width: width, height: height, samples: samples)
    }

    /// One color over the whole rectangle. Linear in its pixels.
    ///
    /// - Precondition: the rectangle lies inside the picture.
    func filled(left: Int, top: Int, width: Int, height: Int, with color: FillColor) -> PixelImage {
        var samples = self.samples
        var pixels = samples.mutableSpan
        pixels.fill(left: left, top: top, width: width, height: height, stride: self.width, with: color)
        return PixelImage(width: self.width, height: self.height, samples: samples)
    }
}

extension MutableSpan<UInt8> {
    /// One color over a rectangle of RGB pixels in rows of `stride` pixels.
    mutating func fill(
        left: Int, top: Int, width: Int, height: Int, stride: Int, with color: FillColor
    ) {
        for row in top..<(top + height) {
            var offset = (row * stride + left) * 3
            for _ in 0..<width {
                self[offset] = color.red
                self[offset + 1] = color.green
                self[offset + 2] = color.blue
                offset += 3
            }
        }
    }
}
