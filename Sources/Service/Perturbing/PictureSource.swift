import Images

/// Where a picture's pixels come from.
enum PictureSource: Sendable {
    /// A JPEG or PNG.
    case file([UInt8])
    /// Decoded by the client.
    case pixels(ReceivedPixels)
}

/// A tensor U8 [H,W,3] of a body, in which its pixels stay: steps read them where they lie.
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

/// What a picture says about itself before a pixel of it is touched.
struct PictureClaim {
    /// With its orientation.
    let size: PixelSize
    /// What decoding takes; its samples are what is kept. Nothing where the pixels are in the body.
    let work: WorkDemand
}

extension PictureSource {
    /// Bytes that lie beside the body they came in.
    var heldBytes: Int {
        switch self {
        case .file(let bytes): bytes.count
        case .pixels: 0
        }
    }

    /// Whether its pixels are a part of the body.
    var isInBody: Bool {
        if case .pixels = self { true } else { false }
    }

    var bytes: ArraySlice<UInt8> {
        switch self {
        case .file(let bytes): bytes[...]
        case .pixels(let pixels): pixels.bytes
        }
    }

    /// The decoded picture; pixels are as they are, whatever the options.
    func image(
        _ options: DecodingOptions, _ limits: ImageLimits, _ watch: WorkWatch
    ) throws(ImageError) -> PixelImage {
        switch self {
        case .file(let bytes):
            try PixelImage(decoding: bytes.span, options: options, limits: limits, watch)
        case .pixels(let pixels): pixels.image
        }
    }

    /// - Throws: what a file's header is refused for. Pixels were held against the limit when the request was read.
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
