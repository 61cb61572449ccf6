import Images

/// Where a picture's pixels come from.
enum PictureSource: Sendable {
    /// A JPEG or PNG.
    case file([UInt8])
    /// Decoded by the client.
    case pixels(ReceivedPixels)
}

/// A tensor U8 [H,W,3] of a body, which is not copied before its pixels are needed.
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

    var image: PixelImage {
        PixelImage(width: size.width, height: size.height, samples: Array(body[range]))
    }

    var bytes: ArraySlice<UInt8> { body[range] }
}

/// What a picture says about itself before a pixel of it is touched.
struct PictureClaim {
    /// As stored, before any orientation.
    let size: PixelSize
    /// Of its samples.
    let decodedBytes: Int
    /// What decoding takes beside them.
    let decoderBytes: Int
}

extension PictureSource {
    /// Bytes that lie beside the body they came in.
    var heldBytes: Int {
        switch self {
        case .file(let bytes): bytes.count
        case .pixels: 0
        }
    }

    var bytes: ArraySlice<UInt8> {
        switch self {
        case .file(let bytes): bytes[...]
        case .pixels(let pixels): pixels.bytes
        }
    }

    /// The decoded picture; pixels are as they are, whatever the options.
    func image(_ options: DecodingOptions, _ limits: ImageLimits) throws(ImageError) -> PixelImage {
        switch self {
        case .file(let bytes): try PixelImage(decoding: bytes.span, options: options, limits: limits)
        case .pixels(let pixels): pixels.image
        }
    }

    /// - Throws: what a file's header is refused for. Pixels were held against the limit when the request was read.
    func claim(_ limits: ImageLimits) throws(ImageError) -> PictureClaim {
        switch self {
        case .file(let bytes):
            let header = try ImageHeader(probing: bytes.span, limits: limits)
            return PictureClaim(
                size: header.size, decodedBytes: header.decodedBytes, decoderBytes: header.decoderBytes)
        case .pixels(let pixels):
            return PictureClaim(
                size: pixels.size, decodedBytes: pixels.size.pixelCount * 3, decoderBytes: 0)
        }
    }
}
