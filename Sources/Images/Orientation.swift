/// The eight ways a camera may have been held, as EXIF (TIFF tag 0x0112) counts them from 1.
enum Orientation: Int {
    case upright = 1
    case mirrored, upsideDown, flipped, transposed, turnedLeft, transversed, turnedRight

    /// The orientation a file states, or `upright` when it states none or an illegal one.
    ///
    /// Looks where `PIL.ImageOps.exif_transpose` does: first the EXIF block, then, when that has no orientation, the XMP
    /// packet (see `MetadataBlocks`). Where Pillow raises an error over metadata, they say nothing here.
    init(of bytes: Span<UInt8>, format: ImageFormat) {
        let blocks = MetadataBlocks(of: bytes, format: format)
        let stated: Double? =
            switch blocks.exif.flatMap(ExifDirectory.init)?.first(0x0112) ?? .absent {
            case .number(let value): value
            case .other: nil
            case .absent: blocks.xmp.flatMap { Self.xmpValue(in: $0.span) }.map(Double.init)
            }
        self = stated.flatMap(Int.init(exactly:)).flatMap(Orientation.init(rawValue:)) ?? .upright
    }

    /// Of a picture once it is turned. The last four orientations swap the sides.
    func size(of stored: PixelSize) -> PixelSize {
        switch self {
        case .upright, .mirrored, .upsideDown, .flipped: stored
        case .transposed, .turnedLeft, .transversed, .turnedRight:
            PixelSize(width: stored.height, height: stored.width)
        }
    }

    /// The digit of `tiff:Orientation="6"` or `tiff:Orientation>6`, or nil.
    private static func xmpValue(in packet: Span<UInt8>) -> Int? {
        for start in packet.indices where packet[start] == UInt8(ascii: "t") {
            let rest = start..<packet.count
            for opening in ["tiff:Orientation=\"", "tiff:Orientation>"] {
                guard let value = packet.range(behind: opening.utf8, in: rest), let place = value.first,
                    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(packet[place])
                else { continue }
                return Int(packet[place] - UInt8(ascii: "0"))
            }
        }
        return nil
    }
}
