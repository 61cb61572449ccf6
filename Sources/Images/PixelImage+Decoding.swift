extension PixelImage {
    /// Decodes a PNG or JPEG to 8-bit RGB, equal to `PIL.Image.open(…).convert("RGB")` in every sample unless `options`
    /// say otherwise. As there, ICC profiles and gamma are ignored.
    ///
    /// The header is read first and checked against `limits`, so no input makes this allocate more than `limits` allow.
    /// Nothing is printed.
    ///
    /// - Throws: `ImageError`; `unwanted` if the result is no longer wanted. A truncated or damaged file is an error
    ///   unless `options.allowTruncated`.
    /// - Complexity: linear in pixels and bytes; a progressive JPEG costs one pass per scan.
    package init(
        decoding bytes: Span<UInt8>, options: DecodingOptions = DecodingOptions(),
        limits: ImageLimits = ImageLimits(), _ watch: WorkWatch = WorkWatch()
    ) throws(ImageError) {
        let header = try ImageHeader(probing: bytes, limits: limits)
        // Read first, so that copies of the metadata and the samples never exist together.
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
