internal import CImageCodecs

/// A file that a C encoder wrote, copied into an array.
enum EncodedFile {
    typealias Encoder = (
        UnsafePointer<UInt8>?, UnsafeMutablePointer<perception_codec_file>,
        UnsafeMutablePointer<perception_codec_report>
    ) -> Void

    /// Runs `encoder` on the samples and hands back what it wrote.
    ///
    /// - Throws: `unencodable` when the format can't hold the picture, `outOfMemory`.
    static func collect(
        _ image: PixelImage, format: ImageFormat, encoder: Encoder
    ) throws(ImageError) -> [UInt8] {
        var file = unsafe perception_codec_file()
        var report = perception_codec_report()
        unsafe image.samples.withUnsafeBufferPointer { unsafe encoder($0.baseAddress, &file, &report) }
        defer { unsafe perception_codec_release(&file) }
        switch report.status {
        case PERCEPTION_CODEC_OK:
            return unsafe [UInt8](UnsafeBufferPointer(start: file.bytes, count: file.count))
        case PERCEPTION_CODEC_OUT_OF_MEMORY: throw .outOfMemory(format)
        default:
            let outcome = CodecReport(report, format: format, limits: ImageLimits())
            throw .unencodable(format, detail: outcome.detail)
        }
    }
}
