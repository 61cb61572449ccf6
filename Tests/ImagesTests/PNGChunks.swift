/// A PNG taken apart, so that tests can forge its parts.
struct PNGChunks {
    struct Chunk {
        let name: String
        let start, end: Int
    }

    let all: [Chunk]

    init(_ file: [UInt8]) {
        var chunks: [Chunk] = []
        var start = 8
        while start + 12 <= file.count {
            let length = file[start..<(start + 4)].reduce(0) { $0 << 8 | Int($1) }
            let name = String(decoding: file[(start + 4)..<(start + 8)], as: UTF8.self)
            chunks.append(Chunk(name: name, start: start, end: start + 12 + length))
            start += 12 + length
        }
        all = chunks
    }

    /// Length, name, data and checksum.
    static func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
        let body = Array(name.utf8) + data
        return bigEndian(UInt32(data.count)) + body + bigEndian(checksum(body))
    }

    static func header(width: UInt32, height: UInt32, depth: UInt8 = 8, color: UInt8 = 2) -> [UInt8] {
        chunk("IHDR", bigEndian(width) + bigEndian(height) + [depth, color, 0, 0, 0])
    }

    /// The file with another IHDR.
    static func replacingHeader(of file: [UInt8], by header: [UInt8]) -> [UInt8] {
        file[..<8] + header + file[33...]
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    /// CRC-32 as W3C PNG annex D has it, bit by bit.
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? 0xEDB8_8320 ^ (crc >> 1) : crc >> 1 }
        }
        return ~crc
    }
}
