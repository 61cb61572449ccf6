internal import CImageCodecs

/// The Swift interface to libpng.
enum PNGCodec {
    /// Reads IHDR, which always comes first (W3C PNG §11.2.1): eight bytes of signature, then length 13, the name, and
    /// width, height, depth, colour type, compression, filter, interlace.
    static func header(of bytes: Span<UInt8>) throws(ImageError) -> ImageHeader {
        func word(_ offset: Int) -> Int {
            (0..<4).reduce(0) { $0 << 8 | Int(bytes[offset + $1]) }
        }
        guard bytes.count >= 33 else {
            throw .truncated(.png, byte: bytes.count, detail: "the file ends within its header")
        }
        guard word(8) == 13, word(12) == 0x4948_4452 else {
            throw .malformed(.png, byte: 8, detail: "the first chunk is not an IHDR of 13 bytes")
        }
        let size = PixelSize(width: word(16), height: word(20))
        guard (1...0x7FFF_FFFF).contains(size.width), (1...0x7FFF_FFFF).contains(size.height) else {
            throw .malformed(.png, byte: 16, detail: "the header declares \(size) pixels")
        }
        let (depth, color, isInterlaced) = (CInt(bytes[24]), CInt(bytes[25]), CInt(bytes[28] == 0 ? 0 : 1))
        func decoderBytes(_ allowTruncated: CInt) -> Int {
            image_codecs_png_decoder_bytes(
                UInt32(size.width), UInt32(size.height), depth, color, isInterlaced, allowTruncated)
        }
        return ImageHeader(
            format: .png, size: size, decoderBytes: decoderBytes(0), salvageBytes: decoderBytes(1),
            storedBytes: size.pixelCount.timesSaturating(Int(image_codecs_png_pixel_bits(depth, color)))
                / 8,
            isInPasses: isInterlaced != 0)
    }

    static func decode(
        _ bytes: Span<UInt8>, header: ImageHeader, options: DecodingOptions, limits: ImageLimits,
        _ watch: WorkWatch
    ) throws(ImageError) -> PixelImage {
        var colors = image_codecs_colors(options)
        return try unsafe DecodedSamples.collect(bytes, header: header, options: options, limits: limits) {
            file, bounds, samples, report in
            unsafe image_codecs_png_decode(
                file.baseAddress, file.count, bounds, &colors, samples.baseAddress, samples.count,
                watch.pointer, report)
        }
    }

    static func encode(_ image: PixelImage, level: Int, _ watch: WorkWatch) throws(ImageError) -> [UInt8] {
        guard (0...9).contains(level) else {
            throw .invalidOption(name: "level", expected: "0 … 9", found: "\(level)")
        }
        let bound = image_codecs_png_bound(UInt32(image.width), UInt32(image.height), CInt(level))
        return try unsafe EncodedFile.collect(image, format: .png, upTo: bound) { samples, file, report in
            unsafe image_codecs_png_encode(
                samples, UInt32(image.width), UInt32(image.height), CInt(level), file, watch.pointer, report)
        }
    }

    /// The demand of `encode`. zlib's cost per sample grows steeply with the level and depends on the picture: at level
    /// 9 a photograph takes three times as long as stated here, noise a third.
    static func demand(_ size: PixelSize, level: Int) -> WorkDemand {
        let (width, height) = (UInt32(clamping: size.width), UInt32(clamping: size.height))
        let file = WorkDemand.arrayBytes(image_codecs_png_bound(width, height, CInt(level)))
        let level = min(max(level, 0), 9)
        let perPixel = [14, 32, 270, 330, 400, 480, 680, 700, 900, 1070][level]
        let perRow = level == 0 ? 70 : level == 1 ? 80 : 450
        return WorkDemand(
            peakBytes: file + image_codecs_png_encoder_bytes(width, height, CInt(level)), keptBytes: file,
            operations: WorkDemand.operations(size, perPixel: perPixel, perRow: perRow))
    }
}
