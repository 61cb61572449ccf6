internal import CImageCodecs

/// The door to libpng.
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
            throw .malformed(.png, byte: 16, detail: "the header claims \(size) pixels")
        }
        let depth = Int(bytes[24])
        let channels = [0: 1, 2: 3, 3: 1, 4: 2, 6: 4][bytes[25], default: 4]
        let rowBytes = size.width * channels * (depth == 16 ? 2 : 1)
        // The row that is read, as it is stored, and the one before it; all of them where they come interlaced.
        let held = bytes[28] == 0 ? 3 : size.height.plusSaturating(2)
        // Rows in the making when a damaged file is salvaged: filtered two, unpacked one and one in RGB.
        return ImageHeader(
            format: .png, size: size,
            decoderBytes: rowBytes.timesSaturating(held).plusSaturating(Self.zlibBytes),
            salvageBytes: (27 * size.width).plusSaturating(Self.zlibBytes))
    }

    /// Of libpng's and zlib's own state, a window of 32 KiB among it.
    private static let zlibBytes = 64 << 10

    static func decode(
        _ bytes: Span<UInt8>, header: ImageHeader, options: DecodingOptions, limits: ImageLimits,
        _ watch: WorkWatch
    ) throws(ImageError) -> PixelImage {
        var report = perception_codec_report()
        var bounds = perception_codec_limits(limits, options: options)
        var colors = perception_codec_colors(options)
        let samples = unsafe bytes.withUnsafeBufferPointer { file in
            unsafe [UInt8](unsafeUninitializedCapacity: header.decodedBytes) { samples, count in
                unsafe perception_png_decode(
                    file.baseAddress, file.count, &bounds, &colors, samples.baseAddress,
                    header.decodedBytes, watch.pointer, &report)
                count = header.decodedBytes
            }
        }
        try CodecReport(report, format: .png, limits: limits).check()
        return PixelImage(width: header.size.width, height: header.size.height, samples: samples)
    }

    static func encode(_ image: PixelImage, level: Int, _ watch: WorkWatch) throws(ImageError) -> [UInt8] {
        guard (0...9).contains(level) else {
            throw .invalidOption(name: "level", expected: "0 … 9", found: "\(level)")
        }
        let bound = perception_png_bound(UInt32(image.width), UInt32(image.height), CInt(level))
        return try unsafe EncodedFile.collect(image, format: .png, upTo: bound) { samples, file, report in
            unsafe perception_png_encode(
                samples, UInt32(image.width), UInt32(image.height), CInt(level), file, watch.pointer, report)
        }
    }

    /// What `encode` takes. Zlib's cost for a sample grows steeply with its level.
    static func demand(_ size: PixelSize, level: Int) -> WorkDemand {
        let (width, height) = (UInt32(clamping: size.width), UInt32(clamping: size.height))
        let file = WorkDemand.arrayBytes(perception_png_bound(width, height, CInt(level)))
        let operations = [16, 24, 240, 260, 300, 400, 400, 450, 500, 600]
        return WorkDemand(
            peakBytes: file + perception_png_encoder_bytes(width, height, CInt(level)), keptBytes: file,
            operations: size.pixelCount.timesSaturating(operations[min(max(level, 0), 9)]))
    }
}
