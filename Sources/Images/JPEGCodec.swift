internal import CImageCodecs

/// The Swift interface to libjpeg.
enum JPEGCodec {
    static func header(of bytes: Span<UInt8>, limits: ImageLimits) throws(ImageError) -> ImageHeader {
        var report = image_codecs_report()
        unsafe bytes.withUnsafeBufferPointer { file in
            unsafe image_codecs_jpeg_probe(file.baseAddress, file.count, &report)
        }
        let outcome = CodecReport(report, format: .jpeg, limits: limits)
        try outcome.check()
        let decoderBytes = Int(report.decoder_bytes)
        return ImageHeader(
            format: .jpeg, size: outcome.size, decoderBytes: decoderBytes, salvageBytes: decoderBytes,
            storedBytes: outcome.size.pixelCount.timesSaturating(3), isInPasses: report.is_in_scans != 0)
    }

    static func decode(
        _ bytes: Span<UInt8>, header: ImageHeader, options: DecodingOptions, limits: ImageLimits,
        _ watch: WorkWatch
    ) throws(ImageError) -> PixelImage {
        try unsafe DecodedSamples.collect(bytes, header: header, options: options, limits: limits) {
            file, bounds, samples, report in
            unsafe image_codecs_jpeg_decode(
                file.baseAddress, file.count, bounds, samples.baseAddress, samples.count, watch.pointer,
                report)
        }
    }

    static func encode(
        _ image: PixelImage, quality: Int, subsampling: ImageEncoding.ChromaSubsampling, _ watch: WorkWatch
    ) throws(ImageError) -> [UInt8] {
        guard (1...100).contains(quality) else {
            throw .invalidOption(name: "quality", expected: "1 … 100", found: "\(quality)")
        }
        let isHalved: CInt = subsampling == .half ? 1 : 0
        let bound = image_codecs_jpeg_bound(
            UInt32(image.width), UInt32(image.height), CInt(quality), isHalved)
        return try unsafe EncodedFile.collect(image, format: .jpeg, upTo: bound) { samples, file, report in
            unsafe image_codecs_jpeg_encode(
                samples, UInt32(image.width), UInt32(image.height), CInt(quality), isHalved, file,
                watch.pointer, report)
        }
    }

    /// Rounded up to whole blocks of 8 × 8.
    static func blockedPixels(_ size: PixelSize) -> Int {
        func whole(_ side: Int) -> Int { side.plusSaturating(7) / 8 * 8 }
        return whole(size.width).timesSaturating(whole(size.height))
    }

    /// Returns the number of scans in a file, at most 200.
    static func scans(of bytes: Span<UInt8>) -> Int {
        unsafe bytes.withUnsafeBufferPointer { file in
            Int(unsafe image_codecs_jpeg_scans(file.baseAddress, file.count, 200))
        }
    }

    /// The demand of `encode`.
    static func demand(
        _ size: PixelSize, quality: Int, subsampling: ImageEncoding.ChromaSubsampling
    ) -> WorkDemand {
        let (width, height) = (UInt32(clamping: size.width), UInt32(clamping: size.height))
        let isHalved: CInt = subsampling == .half ? 1 : 0
        let file = WorkDemand.arrayBytes(image_codecs_jpeg_bound(width, height, CInt(quality), isHalved))
        return WorkDemand(
            peakBytes: file + image_codecs_jpeg_encoder_bytes(width, isHalved), keptBytes: file,
            operations: blockedPixels(size).timesSaturating(quality > 90 ? 75 : 45))
    }
}
