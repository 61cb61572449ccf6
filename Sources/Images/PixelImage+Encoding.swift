extension PixelImage {
    /// The picture as a file, or as bare samples.
    ///
    /// - Throws: `invalidOption` for a level or quality out of range, `unencodable` when the format can't hold the
    ///   picture (a JPEG side over 65,500), `outOfMemory`, `unwanted` when nobody waits for it any more.
    package func encoded(
        as encoding: ImageEncoding, _ watch: WorkWatch = WorkWatch()
    ) throws(ImageError) -> [UInt8] {
        switch encoding {
        case .png(let level): try PNGCodec.encode(self, level: level, watch)
        case .jpeg(let quality, let subsampling):
            try JPEGCodec.encode(self, quality: quality, subsampling: subsampling, watch)
        case .raw: try ownSamples(watch)
        }
    }
}

extension PixelImage {
    /// As `samples`, asking while it copies.
    private func ownSamples(_ watch: WorkWatch) throws(ImageError) -> [UInt8] {
        // A whole array is handed over as it is, and counts from 0.
        guard pixels.startIndex != 0 else { return samples }
        guard let copy = Samples.copy(of: pixels.span, watch) else { throw .unwanted }
        return copy
    }
}

extension ImageEncoding {
    /// What it takes to encode a picture of this size, the file being the result. Bare samples are the picture's own.
    package func demand(for size: PixelSize) -> WorkDemand {
        switch self {
        case .png(let level): PNGCodec.demand(size, level: level)
        case .jpeg(let quality, let subsampling):
            JPEGCodec.demand(size, quality: quality, subsampling: subsampling)
        case .raw: .nothing
        }
    }
}
