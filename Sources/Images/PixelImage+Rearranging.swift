extension PixelImage {
    /// A picture of the given size whose pixel (x, y) is this one's at `source(x, y)`. Linear in the result's pixels.
    ///
    /// - Precondition: `source` stays within this picture.
    package func rearranged(to size: PixelSize, source: (Int, Int) -> (x: Int, y: Int)) -> PixelImage {
        var result = [UInt8](repeating: 0, count: size.pixelCount * 3)
        var target = 0
        for y in 0..<size.height {
            for x in 0..<size.width {
                let position = source(x, y)
                let from = (position.y * width + position.x) * 3
                result[target] = samples[from]
                result[target + 1] = samples[from + 1]
                result[target + 2] = samples[from + 2]
                target += 3
            }
        }
        return PixelImage(width: size.width, height: size.height, samples: result)
    }
}
