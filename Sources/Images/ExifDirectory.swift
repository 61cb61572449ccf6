/// The first directory of a TIFF structure (EXIF 2.32 §4.6.2), read as Pillow reads it.
struct ExifDirectory {
    private let tiff: [UInt8]
    private let isLittleEndian: Bool
    private let start: Int

    /// - Parameter block: the TIFF structure, possibly after one more `Exif` signature.
    /// - Returns: nil if the block is not a TIFF structure.
    init?(_ block: [UInt8]) {
        let signature = Array("Exif\0\0".utf8)
        tiff = block.starts(with: signature) ? Array(block.dropFirst(6)) : block
        // The last two are wrong, but some writers use them.
        switch Array(tiff.prefix(4)) {
        case [0x49, 0x49, 0x2A, 0], [0x49, 0x49, 0, 0x2A]: isLittleEndian = true
        case [0x4D, 0x4D, 0, 0x2A], [0x4D, 0x4D, 0x2A, 0]: isLittleEndian = false
        default: return nil
        }
        guard tiff.count >= 8 else { return nil }
        var offset = 0
        for index in 0..<4 { offset = offset << 8 | Int(tiff[4 + (isLittleEndian ? 3 - index : index)]) }
        start = offset
    }

    /// The value of an entry.
    enum Value {
        case absent
        /// Not a number, such as text.
        case other
        case number(Double)
    }

    /// Returns the first value of the first readable entry with this tag. Linear in the directory.
    func first(_ wanted: Int) -> Value {
        guard let count = number(at: start, bytes: 2) else { return .absent }
        var seen: Set<Int> = []
        // Values outside the entries cannot exceed the block.
        var outside = 0
        for index in 0..<count {
            let entry = start + 2 + index * 12
            guard let tag = number(at: entry, bytes: 2), let type = number(at: entry + 2, bytes: 2),
                let length = number(at: entry + 4, bytes: 4), let place = number(at: entry + 8, bytes: 4)
            else { return .absent }
            guard !seen.contains(tag), let unit = Self.unitBytes[type] else { continue }
            var data = entry + 8
            if length * unit > 4 {
                outside += length * unit
                guard outside <= tiff.count else { continue }
                guard place + length * unit <= tiff.count else { return .absent }
                data = place
            }
            guard length > 0 else { continue }
            seen.insert(tag)
            if tag == wanted { return value(type, at: data) }
        }
        return .absent
    }

    /// The bytes of one value of each type.
    private static let unitBytes = [
        1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8,
    ]

    private func value(_ type: Int, at offset: Int) -> Value {
        func unsigned(_ place: Int, _ bytes: Int) -> UInt64 {
            UInt64(truncatingIfNeeded: number(at: place, bytes: bytes) ?? 0)
        }
        switch type {
        case 3: return .number(Double(unsigned(offset, 2)))
        case 4, 13: return .number(Double(unsigned(offset, 4)))
        case 6: return .number(Double(Int8(truncatingIfNeeded: unsigned(offset, 1))))
        case 8: return .number(Double(Int16(truncatingIfNeeded: unsigned(offset, 2))))
        case 9: return .number(Double(Int32(truncatingIfNeeded: unsigned(offset, 4))))
        case 16: return .number(Double(unsigned(offset, 8)))
        case 5: return .number(Double(unsigned(offset, 4)) / Double(unsigned(offset + 4, 4)))
        case 10:
            let (above, below) = (unsigned(offset, 4), unsigned(offset + 4, 4))
            return .number(
                Double(Int32(truncatingIfNeeded: above)) / Double(Int32(truncatingIfNeeded: below)))
        case 11: return .number(Double(Float(bitPattern: UInt32(truncatingIfNeeded: unsigned(offset, 4)))))
        case 12: return .number(Double(bitPattern: unsigned(offset, 8)))
        default: return .other
        }
    }

    private func number(at offset: Int, bytes: Int) -> Int? {
        guard offset >= 0, offset + bytes <= tiff.count else { return nil }
        return (0..<bytes).reduce(0) { sum, index in
            sum << 8 | Int(tiff[offset + (isLittleEndian ? bytes - 1 - index : index)])
        }
    }
}
