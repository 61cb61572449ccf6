extension PixelImage {
    /// The picture as a file, or as bare samples.
    ///
    /// - Throws: `invalidOption` for a level or quality out of range, `unencodable` when the format can't hold the
    ///   picture (a JPEG side over 65,500), `outOfMemory`.
    package func encoded(as encoding: ImageEncoding) throws(ImageError) -> [UInt8] {
        switch encoding {
        case .png(let level): try PNGCodec.encode(self, level: level)
        case .jpeg(let quality, let subsampling):
            try JPEGCodec.encode(self, quality: quality, subsampling: subsampling)
        case .raw: samples
        }
    }
}
