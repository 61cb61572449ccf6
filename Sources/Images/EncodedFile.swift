internal import CImageCodecs

/// A file that a C encoder writes directly into an array.
enum EncodedFile {
    typealias Encoder = (
        UnsafePointer<UInt8>?, UnsafeMutablePointer<image_codecs_file>,
        UnsafeMutablePointer<image_codecs_report>
    ) -> Void

    /// Runs `encoder` on the samples and returns the file.
    ///
    /// - Parameter bound: the largest size of the file. An array of this size is reserved. Pages that are never written
    ///   cost no memory.
    /// - Throws: `unencodable` if the format cannot hold the picture, `outOfMemory`, `unwanted`.
    static func collect(
        _ image: PixelImage, format: ImageFormat, upTo bound: Int, encoder: Encoder
    ) throws(ImageError) -> [UInt8] {
        var report = image_codecs_report()
        let bytes = unsafe image.pixels.withUnsafeBufferPointer { samples in
            unsafe [UInt8](unsafeUninitializedCapacity: bound) { room, count in
                var file = unsafe image_codecs_file(bytes: room.baseAddress, count: 0, capacity: bound)
                unsafe encoder(samples.baseAddress, &file, &report)
                unsafe image_codecs_give_back(&file)
                count = unsafe file.count
            }
        }
        switch report.status {
        case IMAGE_CODECS_OK: return bytes
        case IMAGE_CODECS_OUT_OF_MEMORY: throw .outOfMemory(format)
        case IMAGE_CODECS_UNWANTED: throw .unwanted
        default:
            let outcome = CodecReport(report, format: format, limits: ImageLimits())
            throw .unencodable(format, detail: outcome.detail)
        }
    }
}
