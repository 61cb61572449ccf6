/// The eight orientations of a camera, numbered from 1 as in EXIF (TIFF tag 0x0112).
enum Orientation: Int {
    case upright = 1
    case mirrored, upsideDown, flipped, transposed, turnedLeft, transversed, turnedRight

    /// Reads the orientation of a file; `upright` if it has none or an invalid one.
    ///
    /// Searches like `PIL.ImageOps.exif_transpose`: first the EXIF block, then, if that has no orientation, the XMP
    /// packet (see `MetadataBlocks`). Metadata for which Pillow raises an error are ignored.
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

    /// Returns the size after turning. The last four orientations swap the sides.
    func size(of stored: PixelSize) -> PixelSize {
        switch self {
        case .upright, .mirrored, .upsideDown, .flipped: stored
        case .transposed, .turnedLeft, .transversed, .turnedRight:
            PixelSize(width: stored.height, height: stored.width)
        }
    }

    /// Returns the digit of `tiff:Orientation="6"` or `tiff:Orientation>6`, or nil.
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
