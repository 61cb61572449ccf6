internal import CImageCodecs

/// The door to libjpeg.
enum JPEGCodec {
    static func header(of bytes: Span<UInt8>, limits: ImageLimits) throws(ImageError) -> ImageHeader {
        var report = perception_codec_report()
        unsafe bytes.withUnsafeBufferPointer { file in
            unsafe perception_jpeg_probe(file.baseAddress, file.count, &report)
        }
        let outcome = CodecReport(report, format: .jpeg, limits: limits)
        try outcome.check()
        return ImageHeader(format: .jpeg, size: outcome.size, decoderBytes: Int(report.decoder_bytes))
    }

    static func decode(
        _ bytes: Span<UInt8>, header: ImageHeader, options: DecodingOptions, limits: ImageLimits
    ) throws(ImageError) -> PixelImage {
        var report = perception_codec_report()
        var bounds = perception_codec_limits(limits, options: options)
        let samples = unsafe bytes.withUnsafeBufferPointer { file in
            unsafe [UInt8](unsafeUninitializedCapacity: header.decodedBytes) { samples, count in
                unsafe perception_jpeg_decode(
                    file.baseAddress, file.count, &bounds, samples.baseAddress, header.decodedBytes, &report)
                count = header.decodedBytes
            }
        }
        try CodecReport(report, format: .jpeg, limits: limits).check()
        return PixelImage(width: header.size.width, height: header.size.height, samples: samples)
    }

    static func encode(
        _ image: PixelImage, quality: Int, subsampling: ImageEncoding.ChromaSubsampling
    ) throws(ImageError) -> [UInt8] {
        guard (1...100).contains(quality) else {
            throw .invalidOption(name: "quality", expected: "1 … 100", found: "\(quality)")
        }
        return try unsafe EncodedFile.collect(image, format: .jpeg) { samples, file, report in
            unsafe perception_jpeg_encode(
                samples, UInt32(image.width), UInt32(image.height), CInt(quality),
                subsampling == .half ? 1 : 0,
                file, report)
        }
    }
}
