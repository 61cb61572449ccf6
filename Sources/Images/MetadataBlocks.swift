/// A file's EXIF and XMP as Pillow finds them. Damaged files simply have less.
struct MetadataBlocks {
    /// The TIFF structure, behind its `Exif` signature.
    var exif: [UInt8]?
    var xmp: [UInt8]?

    init() {}

    init(of bytes: Span<UInt8>, format: ImageFormat) {
        switch format {
        case .jpeg: self.init(ofJPEG: bytes)
        case .png: self.init(ofPNG: bytes)
        }
    }
}

extension Span<UInt8> {
    /// A copy of some of the bytes.
    func copy(_ range: Range<Int>) -> [UInt8] { range.map { self[$0] } }

    /// What follows `signature` at the start of the range, or nil where it begins otherwise.
    func range(behind signature: String.UTF8View, in range: Range<Int>) -> Range<Int>? {
        guard range.count >= signature.count else { return nil }
        for (offset, byte) in signature.enumerated() where self[range.lowerBound + offset] != byte {
            return nil
        }
        return (range.lowerBound + signature.count)..<range.upperBound
    }

    /// A big-endian number.
    func number(at offset: Int, bytes: Int) -> Int {
        (0..<bytes).reduce(0) { $0 << 8 | Int(self[offset + $1]) }
    }
}
