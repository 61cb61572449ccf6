extension PixelImage {
    /// The picture as it was seen, as `PIL.ImageOps.exif_transpose` turns it. The last four orientations swap the sides.
    func transposed(by orientation: Orientation) -> PixelImage {
        let (w, h) = (width, height)
        switch orientation {
        case .upright: return self
        case .mirrored: return rearranged(to: size) { (w - 1 - $0, $1) }
        case .upsideDown: return rearranged(to: size) { (w - 1 - $0, h - 1 - $1) }
        case .flipped: return rearranged(to: size) { ($0, h - 1 - $1) }
        case .transposed: return rearranged(to: PixelSize(width: h, height: w)) { ($1, $0) }
        case .turnedLeft: return rearranged(to: PixelSize(width: h, height: w)) { ($1, h - 1 - $0) }
        case .transversed: return rearranged(to: PixelSize(width: h, height: w)) { (w - 1 - $1, h - 1 - $0) }
        case .turnedRight: return rearranged(to: PixelSize(width: h, height: w)) { (w - 1 - $1, $0) }
        }
    }
}
