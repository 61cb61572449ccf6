internal import CImageCodecs

/// The C codecs' report as a Swift error.
struct CodecReport {
    let format: ImageFormat
    let limits: ImageLimits
    private let report: image_codecs_report

    init(_ report: image_codecs_report, format: ImageFormat, limits: ImageLimits) {
        self.report = report
        self.format = format
        self.limits = limits
    }

    var size: PixelSize { PixelSize(width: Int(report.width), height: Int(report.height)) }

    /// Throws the reported error, or returns on success.
    ///
    /// A header that declares more pixels than the limit is reported as such, even if the library refuses it first for
    /// another reason.
    func check() throws(ImageError) {
        let byte = Int(report.byte)
        if report.status != IMAGE_CODECS_OK, report.status != IMAGE_CODECS_UNWANTED,
            size.pixelCount > limits.maxPixels
        {
            throw .tooManyPixels(format, size, limit: limits.maxPixels)
        }
        switch report.status {
        case IMAGE_CODECS_OK: return
        case IMAGE_CODECS_TRUNCATED: throw .truncated(format, byte: byte, detail: detail + remedy)
        case IMAGE_CODECS_DAMAGED: throw .damaged(format, byte: byte, detail: detail + remedy)
        case IMAGE_CODECS_UNSUPPORTED: throw .unsupported(format, detail: detail)
        case IMAGE_CODECS_SCAN_LIMIT:
            throw .limitExceeded(format, resource: "scans", limit: limits.maxScans)
        case IMAGE_CODECS_MEMORY_LIMIT:
            throw .limitExceeded(format, resource: "bytes of decoder memory", limit: limits.maxDecoderBytes)
        case IMAGE_CODECS_OUT_OF_MEMORY: throw .outOfMemory(format)
        case IMAGE_CODECS_UNWANTED: throw .unwanted
        default: throw .malformed(format, byte: byte, detail: detail)
        }
    }

    /// Added only if it would help.
    private var remedy: String {
        report.salvageable == 0 ? "" : "; allow_truncated would decode what is left of the picture"
    }

    var detail: String {
        var characters = report.detail
        return unsafe withUnsafeBytes(of: &characters) { buffer in
            unsafe String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}

extension image_codecs_limits {
    init(_ limits: ImageLimits, options: DecodingOptions) {
        self.init(
            max_scans: CInt(clamping: limits.maxScans), max_decoder_bytes: max(0, limits.maxDecoderBytes),
            allow_truncated: options.allowTruncated ? 1 : 0)
    }
}

extension image_codecs_colors {
    init(_ options: DecodingOptions) {
        let alpha =
            switch options.alpha {
            case .white: IMAGE_CODECS_ALPHA_WHITE_IF_RGBA
            case .transformers: IMAGE_CODECS_ALPHA_WHITE
            case .drop: IMAGE_CODECS_ALPHA_DROP
            }
        self.init(alpha: alpha, scale_gray16: options.gray16 == .scale ? 1 : 0)
    }
}
