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
    ///   - limit: the longest header that is taken, in bytes.
    package init(fileLength: Int?, limit: Int = Safetensors.maximumHeaderBytes) {
        self.fileLength = fileLength
        self.limit = limit
    }

    /// Takes from the start of a piece what belongs to the prefix.
    ///
    /// - Returns: how many bytes were taken, and the layout once the header is complete. What is not taken are data.
    /// - Throws: as soon as it is known that these bytes start no safetensors file.
    package mutating func take(
        _ piece: RawSpan
    ) throws(SafetensorsError) -> (taken: Int, layout: SafetensorsLayout?) {
        var taken = append(piece, from: 0, upTo: 8)
        guard bytes.count >= 8 else { return (taken, nil) }
        let end: Int
        if let known = self.end { end = known } else { end = try readLength() }
        self.end = end
        taken += append(piece, from: taken, upTo: end)
        guard bytes.count == end else { return (taken, nil) }
        return (taken, try SafetensorsLayout(parsing: bytes, available: fileLength.map { $0 - end }))
    }

    /// The error of a file that ends here.
    package var truncation: SafetensorsError {
        guard let end else { return SafetensorsError(.truncatedLength, byte: bytes.count) }
        return SafetensorsError(.truncatedHeader(claimed: end - 8, available: bytes.count - 8), byte: 0)
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
            throw SafetensorsError(.headerTooLarge(claimed: length), byte: 0)
        }
        guard length <= UInt64(limit) else {
            throw SafetensorsError(.headerAboveLimit(claimed: Int(length), limit: limit), byte: 0)
        }
        let end = 8 + Int(length)
        if let fileLength, end > fileLength {
            throw SafetensorsError(
                .truncatedHeader(claimed: Int(length), available: fileLength - 8), byte: 0)
        }
        return end
    }
}
