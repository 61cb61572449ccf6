internal import Images

extension PixelImage {
    /// Every sample replaced by its entry in a table of 256 levels. Linear in the samples.
    func mapped(through table: [UInt8]) -> PixelImage {
        precondition(table.count == 256, "a level is a byte")
        let table = table.span
        var samples = self.samples
        var pixels = samples.mutableSpan
        for index in pixels.indices { pixels[index] = table[Int(pixels[index])] }
        return PixelImage(width: width, height: height, samples: samples)
    }

    /// A picture of one color.
    static func blank(_ size: PixelSize, _ color: FillColor) -> PixelImage {
        let black = [UInt8](repeating: 0, count: size.pixelCount * 3)
        return PixelImage(width: size.width, height: size.height, samples: black)
            .filled(left: 0, top: 0, width: size.width, height: size.height, with: color)
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
