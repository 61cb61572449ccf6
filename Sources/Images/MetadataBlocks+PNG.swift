extension MetadataBlocks {
    /// Walks the chunks (W3C PNG §5.3) before and after the pixels: four bytes of length, the name, the data, and four
    /// bytes of checksum, which are ignored. If a kind repeats, the last chunk counts.
    ///
    /// EXIF is in `eXIf`, in a `tEXt` with the keyword `exif`, or as hexadecimal text with the keyword `Raw profile
    /// type exif`. XMP is a text with the keyword `XML:com.adobe.xmp`. Linear in the file's bytes and in at most 64 MiB
    /// of inflated text.
    init(ofPNG bytes: Span<UInt8>) {
        self.init()
        var rawProfile: [UInt8]?
        // Beyond this Pillow raises an error.
        var inflatable = 64 << 20
        var offset = 8
        while offset + 12 <= bytes.count {
            let length = bytes.number(at: offset, bytes: 4)
            guard length <= bytes.count - offset - 12 else { break }
            let body = (offset + 8)..<(offset + 8 + length)
            let named = (offset + 4)..<body.upperBound
            if let exif = bytes.range(behind: "eXIf".utf8, in: named) {
                self.exif = bytes.copy(exif)
            } else if let exif = bytes.range(behind: "tEXtexif\0".utf8, in: named) {
                self.exif = Self.withoutSignature(bytes.copy(exif))
            } else if let text = PNGText(chunk: named, of: bytes, &inflatable) {
                switch text.keyword {
                case .xmp: xmp = text.content
                case .rawProfile: rawProfile = text.content
                }
            }
            offset = body.upperBound + 4
        }
        if exif == nil { exif = rawProfile.flatMap(Self.profile(inHexadecimal:)) }
    }

    /// Decodes bytes that ImageMagick writes as text: a line break, the profile's name, its length, then lines of
    /// hexadecimal digits. Returns nil for any other text.
    private static func profile(inHexadecimal text: [UInt8]) -> [UInt8]? {
        let lines = text.split(separator: 0x0A, omittingEmptySubsequences: false)
        var bytes: [UInt8] = []
        var high: UInt8?
        for digit in lines.dropFirst(3).joined() {
            guard let value = Self.value(ofHexadecimal: digit) else {
                // Blanks may separate the bytes.
                guard high == nil, [0x20, 0x09, 0x0B, 0x0C, 0x0D].contains(digit) else { return nil }
                continue
            }
            if let upper = high { bytes.append(upper << 4 | value) }
            high = high == nil ? value : nil
        }
        return high == nil ? withoutSignature(bytes) : nil
    }

    private static func withoutSignature(_ bytes: [UInt8]) -> [UInt8] {
        bytes.starts(with: "Exif\0\0".utf8) ? Array(bytes.dropFirst(6)) : bytes
    }

    private static func value(ofHexadecimal digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
