extension ImageHeader {
    /// Returns the demand of decoding the file, and the size after orientation. If the orientation is applied, this
    /// reads the metadata, which needs up to `metadataBytes`.
    package func demand(
        of bytes: Span<UInt8>, _ options: DecodingOptions
    ) -> (work: WorkDemand, size: PixelSize) {
        let orientation = options.orientation == .apply ? Orientation(of: bytes, format: format) : .upright
        let samples = WorkDemand.arrayBytes(decodedBytes)
        let isTurned = orientation != .upright
        let decoder = options.allowTruncated ? max(decoderBytes, salvageBytes) : decoderBytes
        return (
            WorkDemand(
                peakBytes: max(
                    samples.plusSaturating(max(decoder, isTurned ? samples : 0)),
                    options.orientation == .apply ? Self.metadataBytes(of: bytes.count) : 0),
                keptBytes: samples,
                operations: operations(of: bytes).plusSaturating(
                    isTurned ? size.pixelCount.timesSaturating(20) : 0)),
            orientation.size(of: size)
        )
    }

    private func operations(of bytes: Span<UInt8>) -> Int {
        switch format {
        case .png:
            // Stored blocks and uniform areas are inflated fast.
            let share = Double(bytes.count) / Double(max(1, storedBytes))
            let inflating = share < 0.02 ? 20 : share < 0.98 ? 75 : 32
            return WorkDemand.operations(
                size, perPixel: isInPasses ? inflating + 120 : inflating, perRow: isInPasses ? 700 : 420)
        case .jpeg:
            let blocked = JPEGCodec.blockedPixels(size)
            guard isInPasses else {
                return blocked.timesSaturating(60).plusSaturating(bytes.count.timesSaturating(16))
            }
            // Every scan is a pass over the coefficients.
            return blocked.timesSaturating(40 + JPEGCodec.scans(of: bytes) * 3 / 2)
                .plusSaturating(bytes.count.timesSaturating(24))
        }
    }

    /// Copies of a file's metadata, and texts inflated to a mebibyte each.
    package static func metadataBytes(of count: Int) -> Int {
        count.timesSaturating(2).plusSaturating(min(2 << 20, count.timesSaturating(1032)))
    }
}
