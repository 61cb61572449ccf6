extension PixelImage {
    /// The picture as a file, or as bare samples.
    package func encoded(as encoding: ImageEncoding) throws(ImageError) -> [UInt8] {
        switch encoding {
        case .raw: return samples
        case .png: throw .outOfMemory(.png)
        case .jpeg: throw .outOfMemory(.jpeg)
        }
    }
}
