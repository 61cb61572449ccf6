extension PixelImage {
    /// Returns the picture turned upright, as by `PIL.ImageOps.exif_transpose`. The last four orientations swap the
    /// sides.
    func transposed(by orientation: Orientation, _ watch: WorkWatch) throws(ImageError) -> PixelImage {
        let (w, h) = (width, height)
        switch orientation {
        case .upright: return self
        case .mirrored: return try rearranged(to: size, watch) { (w - 1 - $0, $1) }
        case .upsideDown: return try rearranged(to: size, watch) { (w - 1 - $0, h - 1 - $1) }
        case .flipped: return try rearranged(to: size, watch) { ($0, h - 1 - $1) }
        case .transposed: return try rearranged(to: orientation.size(of: size), watch) { ($1, $0) }
        case .turnedLeft: return try rearranged(to: orientation.size(of: size), watch) { ($1, h - 1 - $0) }
        case .transversed:
            return try rearranged(to: orientation.size(of: size), watch) { (w - 1 - $1, h - 1 - $0) }
        case .turnedRight: return try rearranged(to: orientation.size(of: size), watch) { (w - 1 - $1, $0) }
        }
    }
}
