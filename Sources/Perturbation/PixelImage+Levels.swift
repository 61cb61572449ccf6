internal import Images

extension PixelImage {
    /// Every sample replaced by what `level` makes of it. Linear in the samples.
    ///
    /// Inlined so that the loop over a function as simple as a mask becomes one over whole registers: a table of 256
    /// levels takes eight times as long.
    @inline(__always)
    func mapped(_ level: (UInt8) -> UInt8) -> PixelImage {
        var samples = self.samples
        var pixels = samples.mutableSpan
        for index in pixels.indices { pixels[index] = level(pixels[index]) }
        return PixelImage(width: width, height: height, samples: samples)
    }

    /// A picture of one color.
    static func blank(_ size: PixelSize, _ color: FillColor) -> PixelImage {
        // All of a gray picture's samples are alike, and need no second pass.
        let gray = [UInt8](repeating: color.red, count: size.pixelCount * 3)
        let picture = PixelImage(width: size.width, height: size.height, samples: gray)
        guard color.red != color.green || color.red != color.blue else { return picture }
        return picture.filled(left: 0, top: 0, width: size.width, height: size.height, with: color)
    }

    /// Pillow's `paste` of a whole picture.
    ///
    /// - Precondition: the picture lies inside this one.
    func pasting(_ image: PixelImage, left: Int, top: Int) -> PixelImage {
        let source = image.samples.span
        var samples = self.samples
        var target = samples.mutableSpan
        for row in 0..<image.height {
            let to = ((top + row) * width + left) * 3
            let from = row * image.width * 3
            for index in 0..<(image.width * 3) { target[to + index] = source[from + index] }
        }
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
