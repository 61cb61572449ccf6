/// The reason why a file cannot be decoded or a picture cannot be encoded. `message` names it and its position in one
/// sentence.
package enum ImageError: Error, Sendable, Equatable {
    /// No bytes at all.
    case empty
    /// Neither PNG nor JPEG. `leading` contains the first bytes, at most eight.
    case unknownFormat(leading: [UInt8])
    /// A valid file of an unsupported kind, such as a 12-bit JPEG.
    case unsupported(ImageFormat, detail: String)
    /// The header declares more pixels than `ImageLimits.maxPixels`.
    case tooManyPixels(ImageFormat, PixelSize, limit: Int)
    /// The file exceeds another limit of `ImageLimits`, named by `resource`.
    case limitExceeded(ImageFormat, resource: String, limit: Int)
    /// The file ends before the picture is complete. Reading stopped at `byte`. Here and below, `detail` says whether
    /// `allowTruncated` would help.
    case truncated(ImageFormat, byte: Int, detail: String)
    /// The pixels are damaged: a checksum is wrong, or compressed data are invalid.
    case damaged(ImageFormat, byte: Int, detail: String)
    /// The file violates its format. Reading stopped at `byte`.
    case malformed(ImageFormat, byte: Int, detail: String)
    /// An encoding option is out of range.
    case invalidOption(name: String, expected: String, found: String)
    /// The format cannot hold this picture, for example because a JPEG side exceeds 65,500.
    case unencodable(ImageFormat, detail: String)
    /// The C library could not get memory.
    case outOfMemory(ImageFormat)
    /// The picture is no longer wanted.
    case unwanted
}

extension ImageError {
    package var message: String {
        switch self {
        case .empty:
            "the image is empty (0 bytes)"
        case .unknownFormat(let leading):
            "not a PNG or JPEG file: it begins with the bytes \(Self.hexadecimal(leading))"
        case .unsupported(let format, let detail):
            "this kind of \(format.name) is not supported: \(detail)"
        case .tooManyPixels(let format, let size, let limit):
            "the \(format.name) header declares \(size) pixels; at most \(limit) pixels are accepted"
        case .limitExceeded(let format, let resource, let limit):
            "the \(format.name) needs more than the accepted \(limit) \(resource)"
        case .truncated(let format, let byte, let detail):
            "truncated \(format.name), at byte \(byte): \(detail)"
        case .damaged(let format, let byte, let detail):
            "damaged \(format.name), at byte \(byte): \(detail)"
        case .malformed(let format, let byte, let detail):
            "malformed \(format.name), at byte \(byte): \(detail)"
        case .invalidOption(let name, let expected, let found):
            "\(name) must be \(expected), found \(found)"
        case .unencodable(let format, let detail):
            "cannot be written as \(format.name): \(detail)"
        case .outOfMemory(let format):
            "out of memory while reading or writing a \(format.name)"
        case .unwanted:
            "the picture is no longer wanted"
        }
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    }
}

extension ImageFormat {
    /// The name as written in prose.
    package var name: String { rawValue.uppercased() }
}
