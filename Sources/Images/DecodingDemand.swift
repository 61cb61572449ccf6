extension ImageHeader {
    /// What it takes to decode the file, and the picture's size with its orientation. Reads the metadata where the orientation
    /// counts, which takes up to `metadataBytes`.
    package func demand(
        of bytes: Span<UInt8>, _ options: DecodingOptions
    ) -> (work: WorkDemand, size: PixelSize) {
        let orientation = options.orientation == .apply ? Orientation(of: bytes, format: format) : .upright
        let samples = WorkDemand.arrayBytes(decodedBytes)
        let isTurned = orientation != .upright
        let decoder = options.allowTruncated ? max(decoderBytes, salvageBytes) : decoderBytes
        // A scan costs a pass over all coefficients; how many there are shows when they come.
        let each = format == .png ? 24 : decoderBytes > decodedBytes ? 240 : 80
        let operations = size.pixelCount.timesSaturating(each).plusSaturating(bytes.count.timesSaturating(8))
        return (
            WorkDemand(
                peakBytes: max(
                    samples.plusSaturating(max(decoder, isTurned ? samples : 0)),
                    options.orientation == .apply ? Self.metadataBytes(of: bytes.count) : 0),
                keptBytes: samples, operations: operations),
            orientation.size(of: size)
        )
    }

    /// Copies of a file's metadata, and texts inflated to a mebibyte each.
    package static func metadataBytes(of count: Int) -> Int {
        count.timesSaturating(2).plusSaturating(min(2 << 20, count.timesSaturating(1032)))
    }
}
