import Images

/// The source of a picture's pixels.
enum PictureSource: Sendable {
    /// A file, JPEG or PNG.
    case file([UInt8])
    /// Pixels that the client has decoded.
    case pixels(ReceivedPixels)
}

/// A tensor U8 [H,W,3] of a body. Its pixels stay in the body, and steps read them there.
struct ReceivedPixels: Sendable {
    let size: PixelSize
    private let body: [UInt8]
    private let range: Range<Int>

    /// - Precondition: the range has three bytes for each pixel.
    init(size: PixelSize, in body: [UInt8], at range: Range<Int>) {
        precondition(range.count == size.pixelCount * 3, "samples must be [H,W,3]")
        self.size = size
        self.body = body
        self.range = range
    }

    var image: PixelImage { PixelImage(width: size.width, height: size.height, pixels: bytes) }

    var bytes: ArraySlice<UInt8> { body[range] }
}

/// The size and cost of a picture, known before any pixel is decoded.
struct PictureClaim {
    /// The size after orientation.
    let size: PixelSize
    /// The demand of decoding, which keeps the samples. It is nothing if the pixels are in the body.
    let work: WorkDemand
}

extension PictureSource {
    /// Bytes that were copied out of the body.
    var heldBytes: Int {
        switch self {
        case .file(let bytes): bytes.count
        case .pixels: 0
        }
    }

    /// Whether the pixels are in the body.
    var isInBody: Bool {
        if case .pixels = self { true } else { false }
    }

    var bytes: ArraySlice<UInt8> {
        switch self {
        case .file(let bytes): bytes[...]
        case .pixels(let pixels): pixels.bytes
        }
    }

    /// Returns the decoded picture. Given pixels are returned unchanged, whatever the options.
    func image(
        _ options: DecodingOptions, _ limits: ImageLimits, _ watch: WorkWatch
    ) throws(ImageError) -> PixelImage {
        switch self {
        case .file(let bytes):
            try PixelImage(decoding: bytes.span, options: options, limits: limits, watch)
        case .pixels(let pixels): pixels.image
        }
    }

    /// - Throws: the fault of a file's header. Given pixels were checked when the request was read.
    func claim(_ options: DecodingOptions, _ limits: ImageLimits) throws(ImageError) -> PictureClaim {
        switch self {
        case .file(let bytes):
            let header = try ImageHeader(probing: bytes.span, limits: limits)
            let (work, size) = header.demand(of: bytes.span, options)
            return PictureClaim(size: size, work: work)
        case .pixels(let pixels):
            return PictureClaim(size: pixels.size, work: .nothing)
        }
    }
}
