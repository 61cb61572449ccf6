/// The facts in a file's header, read without decoding a pixel. They suffice to plan memory before any is allocated.
package struct ImageHeader: Sendable, Equatable {
    package let format: ImageFormat
    /// The size as stored, before any EXIF orientation.
    package let size: PixelSize
    /// The largest number of bytes that the decoder needs in addition to the result.
    package let decoderBytes: Int
    /// The same for decoding a damaged file.
    package let salvageBytes: Int

    /// The uncompressed size of the samples as stored in the file, in bytes.
    let storedBytes: Int
    /// Whether the picture is stored in several passes: an interlaced PNG, or a JPEG with several scans.
    let isInPasses: Bool

    /// The size of the result in bytes: width × height × 3.
    package var decodedBytes: Int { size.pixelCount.multipliedReportingOverflow(by: 3).partialValue }

    /// Reads the header of a PNG or JPEG. Linear in the length of the header, which is the metadata before the first
    /// pixel. No allocation grows with the picture.
    ///
    /// - Throws: `empty`, `unknownFormat`, `truncated`, `malformed` or `unsupported` if there is no readable header;
    ///   `tooManyPixels` or `limitExceeded` if the declared picture would exceed `limits`.
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
