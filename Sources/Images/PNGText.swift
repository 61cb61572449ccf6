internal import CImageCodecs

/// A text chunk that may contain the orientation (W3C PNG §11.3.3).
struct PNGText {
    enum Keyword: String, CaseIterable {
        case xmp = "XML:com.adobe.xmp"
        case rawProfile = "Raw profile type exif"
    }

    let keyword: Keyword
    let content: [UInt8]

    /// The longest inflated text, as in Pillow.
    private static let most = 1 << 20

    /// - Parameters:
    ///   - chunk: the name and data of the chunk.
    ///   - inflatable: the number of bytes that may still be inflated.
    /// - Returns: nil for other chunks and keywords, and for unreadable text.
    init?(chunk: Range<Int>, of bytes: Span<UInt8>, _ inflatable: inout Int) {
        for keyword in Keyword.allCases {
            let name = keyword.rawValue + "\0"
            if let text = bytes.range(behind: "tEXt\(name)".utf8, in: chunk) {
                self.init(keyword: keyword, content: bytes.copy(text))
                return
            }
            if let text = bytes.range(behind: "zTXt\(name)\0".utf8, in: chunk) {
                // If a text cannot be inflated, Pillow reads it as empty.
                self.init(keyword: keyword, content: Self.inflated(text, of: bytes, &inflatable) ?? [])
                return
            }
            if let text = bytes.range(behind: "iTXt\(name)".utf8, in: chunk) {
                guard let content = Self.international(text, of: bytes, &inflatable) else { return nil }
                self.init(keyword: keyword, content: content)
                return
            }
        }
        return nil
    }

    private init(keyword: Keyword, content: [UInt8]) {
        self.keyword = keyword
        self.content = content
    }

    /// After the keyword: a compression flag, the method, a language, zero, a translated keyword, zero, the text.
    private static func international(
        _ range: Range<Int>, of bytes: Span<UInt8>, _ inflatable: inout Int
    ) -> [UInt8]? {
        guard range.count >= 2 else { return nil }
        var start = range.lowerBound + 2
        for _ in 0..<2 {
            while start < range.upperBound, bytes[start] != 0 { start += 1 }
            guard start < range.upperBound else { return nil }
            start += 1
        }
        let text = start..<range.upperBound
        guard bytes[range.lowerBound] != 0 else { return bytes.copy(text) }
        return bytes[range.lowerBound + 1] == 0 ? inflated(text, of: bytes, &inflatable) : nil
    }

    private static func inflated(
        _ range: Range<Int>, of bytes: Span<UInt8>, _ inflatable: inout Int
    ) -> [UInt8]? {
        guard inflatable > 0 else { return nil }
        inflatable -= most
        var length = -1
        let text = unsafe bytes.extracting(range).withUnsafeBufferPointer { source in
            unsafe [UInt8](unsafeUninitializedCapacity: most) { target, count in
                length = unsafe image_codecs_inflate(
                    source.baseAddress, source.count, target.baseAddress, most)
                count = max(0, length)
            }
        }
        return length < 0 ? nil : text
    }
}
