/// Where a file keeps its EXIF and XMP, as byte ranges. Damaged files simply have fewer blocks.
struct MetadataBlocks {
    /// The TIFF structure, behind its `Exif` signature.
    private(set) var exif: Range<Int>?
    private(set) var xmp: Range<Int>?

    /// Walks the marker segments up to the first scan (T.81 §B.1.1.4): 0xFF, marker, two bytes of length.
    init(ofJPEG bytes: Span<UInt8>) {
        var offset = 2
        while offset + 4 <= bytes.count, bytes[offset] == 0xFF {
            let marker = bytes[offset + 1]
            if marker == 0xFF {
                offset += 1
                continue
            }
            if marker == 0xDA || marker == 0xD9 { return }
            let length = Int(bytes[offset + 2]) << 8 | Int(bytes[offset + 3])
            let end = offset + 2 + length
            guard length >= 2, end <= bytes.count else { return }
            if marker == 0xE1 {
                let body = (offset + 4)..<end
                exif = exif ?? Self.behind(Array("Exif\0\0".utf8), in: bytes, body)
                xmp = xmp ?? Self.behind(Array("http://ns.adobe.com/xap/1.0/\0".utf8), in: bytes, body)
            }
            offset = end
        }
    }

    /// Walks the chunks (W3C PNG §5.3): four bytes of length, name, data, four bytes of checksum.
    init(ofPNG bytes: Span<UInt8>) {
        var offset = 8
        while offset + 12 <= bytes.count {
            let length = (0..<4).reduce(0) { $0 << 8 | Int(bytes[offset + $1]) }
            guard length <= bytes.count - offset - 12 else { return }
            let body = (offset + 8)..<(offset + 8 + length)
            exif = exif ?? Self.behind(Array("eXIf".utf8), in: bytes, (offset + 4)..<body.upperBound)
            offset = body.upperBound + 4
        }
    }

    private static func behind(
        _ signature: [UInt8], in bytes: Span<UInt8>, _ range: Range<Int>
    ) -> Range<Int>? {
        guard range.count >= signature.count,
            signature.indices.allSatisfy({ bytes[range.lowerBound + $0] == signature[$0] })
        else { return nil }
        return (range.lowerBound + signature.count)..<range.upperBound
    }
}
