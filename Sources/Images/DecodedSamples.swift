internal import CImageCodecs

/// The samples that a C decoder writes.
enum DecodedSamples {
    /// A decoder. Its arguments are a file's bytes, the limits, and a buffer for exactly the samples that the header
    /// declares.
    typealias Decoder = (
        UnsafeBufferPointer<UInt8>, UnsafePointer<image_codecs_limits>,
        UnsafeMutableBufferPointer<UInt8>, UnsafeMutablePointer<image_codecs_report>
    ) -> Void

    /// - Parameter decode: writes every sample unless it reports an error.
    /// - Throws: the reported error.
    static func collect(
        _ bytes: Span<UInt8>, header: ImageHeader, options: DecodingOptions, limits: ImageLimits,
        _ decode: Decoder
    ) throws(ImageError) -> PixelImage {
        var report = image_codecs_report()
        var bounds = image_codecs_limits(limits, options: options)
        let samples = unsafe bytes.withUnsafeBufferPointer { file in
            unsafe [UInt8](unsafeUninitializedCapacity: header.decodedBytes) { samples, count in
                let room = unsafe UnsafeMutableBufferPointer(rebasing: samples[..<header.decodedBytes])
                unsafe decode(file, &bounds, room, &report)
                count = header.decodedBytes
            }
        }
        try CodecReport(report, format: header.format, limits: limits).check()
        return PixelImage(width: header.size.width, height: header.size.height, samples: samples)
    }
}
