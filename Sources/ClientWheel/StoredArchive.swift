/// A ZIP archive whose members are stored as they are: the same members give the same bytes, on every machine and day.
///
/// Source: APPNOTE.TXT 6.3.10, sections 4.3.7 (local header), 4.3.12 (central directory) and 4.3.16 (its end).
struct StoredArchive {
    /// Version 2.0, which every reader has.
    private static let version: UInt16 = 20
    /// By Unix, whose file modes are in the upper half of the external attributes.
    private static let madeBy: UInt16 = 3 << 8 | version
    private static let regularFile: UInt32 = 0o100644 << 16
    /// 1980-01-01, the first day that ZIP knows.
    private static let date: UInt16 = 1 << 5 | 1

    private var body: [UInt8] = []
    private var directory: [UInt8] = []
    private var count: UInt16 = 0

    /// - Parameter path: ASCII, as no flag says that it is UTF-8.
    mutating func add(_ path: String, _ bytes: [UInt8]) {
        let offset = UInt32(body.count)
        var shared: [UInt8] = []
        // Flags, method, time.
        for field: UInt16 in [Self.version, 0, 0, 0, Self.date] { shared.appendLittleEndian(field) }
        shared.appendLittleEndian(Checksums.crc32(bytes))
        for _ in ["compressed", "uncompressed"] { shared.appendLittleEndian(UInt32(bytes.count)) }
        // Lengths of the path and of extra fields.
        for field in [UInt16(path.utf8.count), 0] { shared.appendLittleEndian(field) }

        body += Array("PK\u{3}\u{4}".utf8) + shared + path.utf8 + bytes

        directory += "PK\u{1}\u{2}".utf8
        directory.appendLittleEndian(Self.madeBy)
        directory += shared
        // Length of the comment, number of the disk, internal attributes.
        for field: UInt16 in [0, 0, 0] { directory.appendLittleEndian(field) }
        directory.appendLittleEndian(Self.regularFile)
        directory.appendLittleEndian(offset)
        directory += path.utf8
        count += 1
    }

    /// The whole archive.
    var bytes: [UInt8] {
        var end = Array("PK\u{5}\u{6}".utf8)
        // This disk and the directory's, then the members on this disk and on all.
        for field in [0, 0, count, count] { end.appendLittleEndian(field) }
        end.appendLittleEndian(UInt32(directory.count))
        end.appendLittleEndian(UInt32(body.count))
        end.appendLittleEndian(UInt16(0))
        return body + directory + end
    }
}

extension [UInt8] {
    fileprivate mutating func appendLittleEndian(_ value: some FixedWidthInteger) {
        for shift in stride(from: 0, to: value.bitWidth, by: 8) {
            append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}
