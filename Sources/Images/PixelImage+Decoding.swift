extension PixelImage {
    /// Decodes a PNG or JPEG to 8-bit RGB, equal to `PIL.Image.open(…).convert("RGB")` in every sample except where
    /// `options` say otherwise; ICC profiles and gamma are ignored as there.
    ///
    /// The header is read first and held against `limits`, so that no bytes whatever make this allocate more than
    /// `limits` allow. Nothing is ever printed.
    ///
    /// - Throws: `ImageError`, `unwanted` when nobody waits for it any more; a file that ends early or is damaged is an error unless `options.allowTruncated`.
    /// - Complexity: linear in pixels and bytes; a progressive JPEG costs one pass per scan.
    package init(
        decoding bytes: Span<UInt8>, options: DecodingOptions = DecodingOptions(),
        limits: ImageLimits = ImageLimits(), _ watch: WorkWatch = WorkWatch()
    ) throws(ImageError) {
        let header = try ImageHeader(probing: bytes, limits: limits)
        // Before there are samples beside its copies of the metadata.
        let orientation =
            options.orientation == .apply ? Orientation(of: bytes, format: header.format) : .upright
        let decoded =
            switch header.format {
            case .png: try PNGCodec.decode(bytes, header: header, options: options, limits: limits, watch)
            case .jpeg: try JPEGCodec.decode(bytes, header: header, options: options, limits: limits, watch)
            }
        self = try decoded.transposed(by: orientation, watch)
    }
}
