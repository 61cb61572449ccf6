/// The EXIF and XMP of a file, found as Pillow finds them. Damaged metadata are left out.
struct MetadataBlocks {
    /// The TIFF structure after its `Exif` signature.
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
    /// Returns a copy of the bytes in a range.
    func copy(_ range: Range<Int>) -> [UInt8] { range.map { self[$0] } }

    /// Returns the range after `signature`, or nil if the range does not begin with it.
    func range(behind signature: String.UTF8View, in range: Range<Int>) -> Range<Int>? {
        guard range.count >= signature.count else { return nil }
        for (offset, byte) in signature.enumerated() where self[range.lowerBound + offset] != byte {
            return nil
        }
        return (range.lowerBound + signature.count)..<range.upperBound
    }

    /// Reads a big-endian number.
    func number(at offset: Int, bytes: Int) -> Int {
        (0..<bytes).reduce(0) { $0 << 8 | Int(self[offset + $1]) }
    }
}
