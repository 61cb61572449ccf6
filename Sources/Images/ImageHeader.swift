/// What a file says about itself, read without decoding a pixel: enough to plan memory before any is spent.
package struct ImageHeader: Sendable, Equatable {
    package let format: ImageFormat
    /// As stored, before any EXIF orientation.
    package let size: PixelSize
    /// What the decoder may need beside the result, in bytes, rounded up.
    package let decoderBytes: Int
    /// The same for what is decoded of a damaged file.
    package let salvageBytes: Int

    /// Samples as the file holds them, uncompressed, in bytes.
    let storedBytes: Int
    /// Whether the picture comes in passes over all of it: an interlaced PNG, a JPEG of several scans.
    let isInPasses: Bool

    /// The result's size in bytes: width × height × 3.
    package var decodedBytes: Int { size.pixelCount.multipliedReportingOverflow(by: 3).partialValue }

    /// Reads the header of a PNG or JPEG. Linear in the length of the header (metadata before the first pixel), no
    /// allocation that grows with the picture.
    ///
    /// - Throws: `empty`, `unknownFormat`, `truncated`, `malformed` or `unsupported` when there is no readable
    ///   header; `tooManyPixels` or `limitExceeded` when what it declares would cost more than `limits` allow.
    package init(probing bytes: Span<UInt8>, limits: ImageLimits = ImageLimits()) throws(ImageError) {
        guard !bytes.isEmpty else { throw .empty }
        switch ImageFormat(signatureOf: bytes) {
        case .png: self = try PNGCodec.header(of: bytes)
        case .jpeg: self = try JPEGCodec.header(of: bytes, limits: limits)
        case nil:
            let leading = (0..<min(8, bytes.count)).map { bytes[$0] }
            throw .unknownFormat(leading: leading)
        }
        guard size.pixelCount <= limits.maxPixels else {
            throw .tooManyPixels(format, size, limit: limits.maxPixels)
        }
        guard max(decoderBytes, salvageBytes) <= limits.maxDecoderBytes else {
            throw .limitExceeded(format, resource: "bytes of decoder memory", limit: limits.maxDecoderBytes)
        }
    }

    init(
        format: ImageFormat, size: PixelSize, decoderBytes: Int, salvageBytes: Int, storedBytes: Int,
        isInPasses: Bool
    ) {
        self.storedBytes = storedBytes
        self.isInPasses = isInPasses
        self.format = format
        self.size = size
        self.decoderBytes = decoderBytes
        self.salvageBytes = salvageBytes
    }
}
