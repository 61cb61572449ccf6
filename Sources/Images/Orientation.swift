/// The eight ways a camera may have been held, as EXIF (TIFF tag 0x0112) counts them from 1.
enum Orientation: Int {
    case upright = 1
    case mirrored, upsideDown, flipped, transposed, turnedLeft, transversed, turnedRight

    /// The orientation a file states, or `upright` when it states none or an illegal one.
    ///
    /// Looks where `PIL.ImageOps.exif_transpose` does: first the EXIF block (JPEG APP1, PNG eXIf), then, when that
    /// has no orientation, a JPEG's XMP packet. PNG's text chunks are not read.
    init(of bytes: Span<UInt8>, format: ImageFormat) {
        let blocks =
            switch format {
            case .jpeg: MetadataBlocks(ofJPEG: bytes)
            case .png: MetadataBlocks(ofPNG: bytes)
            }
        let stated =
            blocks.exif.flatMap { Self.exifValue(in: bytes.extracting($0)) }
            ?? blocks.xmp.flatMap { Self.xmpValue(in: bytes.extracting($0)) }
        self = stated.flatMap(Orientation.init(rawValue:)) ?? .upright
    }

    /// The value of tag 0x0112 in the first directory of a TIFF structure (EXIF 2.32 §4.6.4), or nil.
    private static func exifValue(in tiff: Span<UInt8>) -> Int? {
        guard tiff.count >= 8 else { return nil }
        let littleEndian: Bool
        switch (tiff[0], tiff[1]) {
        case (0x49, 0x49): littleEndian = true
        case (0x4D, 0x4D): littleEndian = false
        default: return nil
        }
        func number(at offset: Int, bytes: Int) -> Int? {
            guard offset >= 0, offset + bytes <= tiff.count else { return nil }
            return (0..<bytes).reduce(0) { sum, index in
                sum << 8 | Int(tiff[offset + (littleEndian ? bytes - 1 - index : index)])
            }
        }
        guard let directory = number(at: 4, bytes: 4), let entries = number(at: directory, bytes: 2) else {
            return nil
        }
        for entry in 0..<entries {
            let offset = directory + 2 + entry * 12
            guard let tag = number(at: offset, bytes: 2) else { return nil }
            guard tag == 0x0112 else { continue }
            return switch number(at: offset + 2, bytes: 2) {
            case 3: number(at: offset + 8, bytes: 2)
            case 4: number(at: offset + 8, bytes: 4)
            default: nil
            }
        }
        return nil
    }

    /// The digit of `tiff:Orientation="6"` or `tiff:Orientation>6`, or nil.
    private static func xmpValue(in packet: Span<UInt8>) -> Int? {
        let name = Array("tiff:Orientation".utf8)
        var start = 0
        while start + name.count + 3 <= packet.count {
            if name.indices.allSatisfy({ packet[start + $0] == name[$0] }) {
                let after = start + name.count
                let attribute = packet[after] == UInt8(ascii: "=") && packet[after + 1] == UInt8(ascii: "\"")
                let element = packet[after] == UInt8(ascii: ">")
                let digit = packet[attribute ? after + 2 : after + 1]
                if attribute || element, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) {
                    return Int(digit - UInt8(ascii: "0"))
                }
            }
            start += 1
        }
        return nil
    }
}
