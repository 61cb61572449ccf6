extension PixelImage {
    /// Encodes the picture as a file or as bare samples.
    ///
    /// - Throws: `invalidOption` for a level or quality out of range, `unencodable` if the format cannot hold the
    ///   picture (a JPEG side over 65,500), `outOfMemory`, `unwanted` if the result is no longer wanted.
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
    /// Returns `samples`, and checks while copying whether they are still wanted.
    private func ownSamples(_ watch: WorkWatch) throws(ImageError) -> [UInt8] {
        // A whole array is returned uncopied. Its indices begin at 0.
        guard pixels.startIndex != 0 else { return samples }
        guard let copy = Samples.copy(of: pixels.span, watch) else { throw .unwanted }
        return copy
    }
}

extension ImageEncoding {
    /// Returns the demand of encoding a picture of this size. The result is the file. Bare samples are the picture's
    /// own.
    package func demand(for size: PixelSize) -> WorkDemand {
        switch self {
        case .png(let level): PNGCodec.demand(size, level: level)
        case .jpeg(let quality, let subsampling):
            JPEGCodec.demand(size, quality: quality, subsampling: subsampling)
        case .raw: .nothing
        }
    }
}
