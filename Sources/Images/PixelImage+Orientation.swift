extension PixelImage {
    /// The picture as it was seen, as `PIL.ImageOps.exif_transpose` turns it. The last four orientations swap the sides.
    func transposed(by orientation: Orientation) -> PixelImage {
        let (w, h) = (width, height)
        switch orientation {
        case .upright: return self
        case .mirrored: return rearranged(w, h) { (w - 1 - $0, $1) }
        case .upsideDown: return rearranged(w, h) { (w - 1 - $0, h - 1 - $1) }
        case .flipped: return rearranged(w, h) { ($0, h - 1 - $1) }
        case .transposed: return rearranged(h, w) { ($1, $0) }
        case .turnedLeft: return rearranged(h, w) { ($1, h - 1 - $0) }
        case .transversed: return rearranged(h, w) { (w - 1 - $1, h - 1 - $0) }
        case .turnedRight: return rearranged(h, w) { (w - 1 - $1, $0) }
        }
    }

    /// A picture of the given size whose pixel (x, y) is this one's at `source(x, y)`.
    private func rearranged(_ width: Int, _ height: Int, source: (Int, Int) -> (x: Int, y: Int)) -> PixelImage
    {
        var result = [UInt8](repeating: 0, count: samples.count)
        var target = 0
        for y in 0..<height {
            for x in 0..<width {
                let (sourceX, sourceY) = source(x, y)
                let from = (sourceY * self.width + sourceX) * 3
                result[target] = samples[from]
                result[target + 1] = samples[from + 1]
                result[target + 2] = samples[from + 2]
                target += 3
            }
        }
        return PixelImage(width: width, height: height, samples: result)
    }
}
