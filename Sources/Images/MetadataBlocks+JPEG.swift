extension MetadataBlocks {
    /// Walks the markers up to the first scan (T.81 §B.1.1.2) as libjpeg and Pillow do: bytes that belong to no
    /// segment, such as `FF 00`, are skipped, and a length below two counts as two.
    ///
    /// EXIF that is split over several segments forms one block. If there are several XMP packets, the last one counts.
    /// Linear in these bytes.
    init(ofJPEG bytes: Span<UInt8>) {
        self.init()
        var offset = 2
        while let marker = Self.marker(in: bytes, &offset) {
            switch marker {
            case 0xD0...0xD7, 0x01: continue
            case 0xD8...0xDA: return
            default: break
            }
            guard offset + 2 <= bytes.count else { return }
            let end = offset + max(2, bytes.number(at: offset, bytes: 2))
            guard end <= bytes.count else { return }
            if marker == 0xE1 {
                let body = (offset + 2)..<end
                if let part = bytes.range(behind: "Exif\0\0".utf8, in: body) {
                    if exif == nil { exif = [] }
                    exif?.append(contentsOf: bytes.copy(part))
                } else if let xmp = bytes.range(behind: "http://ns.adobe.com/xap/1.0/\0".utf8, in: body) {
                    self.xmp = bytes.copy(xmp)
                }
            }
            offset = end
        }
    }

    /// Returns the second byte of the next marker, and moves `offset` past it.
    private static func marker(in bytes: Span<UInt8>, _ offset: inout Int) -> UInt8? {
        while offset < bytes.count {
            guard bytes[offset] == 0xFF else {
                offset += 1
                continue
            }
            while offset < bytes.count, bytes[offset] == 0xFF { offset += 1 }
            guard offset < bytes.count else { return nil }
            defer { offset += 1 }
            if bytes[offset] != 0 { return bytes[offset] }
        }
        return nil
    }
}
