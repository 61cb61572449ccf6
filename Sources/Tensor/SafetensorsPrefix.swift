/// The first bytes of a safetensors file, length and header, put together from the pieces in which they arrive.
package struct SafetensorsPrefix: Sendable {
    /// The length field, then the header.
    package private(set) var bytes: [UInt8] = []
    /// Where the header ends; nil until its length is known.
    private var end: Int?
    private let fileLength: Int?
    private let limit: Int

    /// - Parameters:
    ///   - fileLength: how long the whole file is, if that is known.
    ///   - limit: the longest header that is consumed, in bytes.
    package init(fileLength: Int?, limit: Int = Safetensors.maximumHeaderBytes) {
        self.fileLength = fileLength
        self.limit = limit
    }

    /// Takes from the start of a piece what belongs to the prefix.
    ///
    /// - Returns: how many bytes were consumed, and the layout once the header is complete. What is not consumed are data.
    /// - Throws: as soon as it is known that these bytes start no safetensors file.
    package mutating func consume(
        _ piece: RawSpan
    ) throws(SafetensorsError) -> (consumed: Int, layout: SafetensorsLayout?) {
        var consumed = append(piece, from: 0, upTo: 8)
        guard bytes.count >= 8 else { return (consumed, nil) }
        let end: Int
        if let known = self.end { end = known } else { end = try readLength() }
        self.end = end
        consumed += append(piece, from: consumed, upTo: end)
        guard bytes.count == end else { return (consumed, nil) }
        return (consumed, try SafetensorsLayout(parsing: bytes, available: fileLength.map { $0 - end }))
    }

    /// The error of a file that ends here.
    package var truncation: SafetensorsError {
        guard let end else { return SafetensorsError(.truncatedLength, byte: bytes.count) }
        return SafetensorsError(.truncatedHeader(declared: end - 8, available: bytes.count - 8), byte: 0)
    }

    private mutating func append(_ piece: RawSpan, from start: Int, upTo end: Int) -> Int {
        let count = min(piece.byteCount - start, end - bytes.count)
        guard count > 0 else { return 0 }
        unsafe piece.extracting(start..<start + count).withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        return count
    }

    private func readLength() throws(SafetensorsError) -> Int {
        var length: UInt64 = 0
        for index in (0..<8).reversed() { length = length << 8 | UInt64(bytes[index]) }
        guard length <= UInt64(Safetensors.maximumHeaderBytes) else {
            throw SafetensorsError(.headerTooLarge(declared: length), byte: 0)
        }
        guard length <= UInt64(limit) else {
            throw SafetensorsError(.headerAboveLimit(declared: Int(length), limit: limit), byte: 0)
        }
        let end = 8 + Int(length)
        if let fileLength, end > fileLength {
            throw SafetensorsError(
                .truncatedHeader(declared: Int(length), available: fileLength - 8), byte: 0)
        }
        return end
    }
}
