extension PixelImage {
    /// Decodes a PNG or JPEG to 8-bit RGB, equal to `PIL.Image.open(…).convert("RGB")` in every sample except where
    /// `options` say otherwise; ICC profiles and gamma are ignored as there.
    ///
    /// The header is read first and held against `limits`, so that no bytes whatever make this allocate more than
    /// `limits` allow. Nothing is ever printed.
    ///
    /// - Throws: `ImageError`; a file that ends early or is damaged is an error unless `options.allowTruncated`.
    /// - Complexity: linear in pixels and bytes; a progressive JPEG costs one pass per scan.
    package init(
        decoding bytes: Span<UInt8>, options: DecodingOptions = DecodingOptions(),
        limits: ImageLimits = ImageLimits()
    ) throws(ImageError) {
        let header = try ImageHeader(probing: bytes, limits: limits)
        let decoded =
            switch header.format {
            case .png: try PNGCodec.decode(bytes, header: header, options: options, limits: limits)
            case .jpeg: try JPEGCodec.decode(bytes, header: header, options: options, limits: limits)
            }
        switch options.orientation {
        case .ignore: self = decoded
        case .apply: self = decoded.transposed(by: Orientation(of: bytes, format: header.format))
        }
    }
}
