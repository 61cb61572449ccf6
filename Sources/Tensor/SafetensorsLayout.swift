import JSON

/// What the header of a safetensors file says, checked: every tensor, and which bytes are its own.
///
/// It needs the header only, so it is known while the data are still to come.
package struct SafetensorsLayout: Sendable {
    package struct Entry: Sendable {
        package let name: String
        package let elementType: ElementType
        package let shape: [Int]
        /// Product of `shape`.
        package let count: Int
        /// Its bytes, counted from the end of the header.
        package let data: Range<Int>
    }

    package let metadata: [String: String]
    /// In the order of their data.
    package let entries: [Entry]
    /// Where the data begin in the file.
    package let dataStart: Int
    /// How many bytes all tensors have.
    package var dataBytes: Int { entries.last?.data.upperBound ?? 0 }

    /// - Parameters:
    ///   - header: the file's first bytes, its length field included, up to the end of the header.
    ///   - available: how many bytes of data the file has; nil while that isn't known.
    /// - Complexity: O(header bytes)
    package init(parsing header: [UInt8], available: Int?) throws(SafetensorsError) {
        let dataStart = header.count
        guard dataStart > 8, header[8] == UInt8(ascii: "{") else {
            throw SafetensorsError(.headerNotAnObject, byte: 8)
        }
        let text: SafetensorsHeader
        do throws(JSONError) {
            text = try SafetensorsHeader(parsing: Array(header[8...]))
        } catch {
            throw SafetensorsError(.header(error), byte: 8 + error.byte)
        }
        var entries: [Entry] = []
        var expectedStart = 0
        // Empty tensors share their start with a neighbour; by (begin, end) they still follow without holes.
        for entry in text.entries.sorted(by: { ($0.begin, $0.end) < ($1.begin, $1.end) }) {
            entries.append(try Entry(checking: entry, after: expectedStart, available: available))
            expectedStart = entry.end
        }
        self.metadata = text.metadata
        self.entries = entries
        self.dataStart = dataStart
        if let available, expectedStart < available { throw trailingData(available: available) }
    }

    /// Checks the end of a file whose length wasn't known when its header was read.
    package func check(available: Int) throws(SafetensorsError) {
        for entry in entries where entry.data.upperBound > available {
            throw SafetensorsError(
                .offsetsOutOfRange(
                    tensor: entry.name, begin: entry.data.lowerBound, end: entry.data.upperBound,
                    available: available), byte: dataStart + available)
        }
        if available > dataBytes { throw trailingData(available: available) }
    }

    private func trailingData(available: Int) -> SafetensorsError {
        SafetensorsError(.trailingData(used: dataBytes, available: available), byte: dataStart + dataBytes)
    }
}

extension SafetensorsLayout.Entry {
    /// - Parameter expected: where the tensor before it ends.
    fileprivate init(
        checking entry: SafetensorsHeader.Entry, after expected: Int, available: Int?
    ) throws(SafetensorsError) {
        let name = entry.name
        let byte = 8 + entry.byte
        guard let elementType = ElementType(rawValue: entry.elementType) else {
            throw SafetensorsError(.unknownElementType(tensor: name, entry.elementType), byte: byte)
        }
        guard entry.shape.count <= Safetensors.maximumRank else {
            throw SafetensorsError(.shapeOverflow(tensor: name, entry.shape), byte: byte)
        }
        // Of an empty tensor the other extents are bounded, too: readers multiply some of them, such as a row's.
        var elements = 1
        for extent in entry.shape {
            let (product, overflow) = elements.multipliedReportingOverflow(by: max(extent, 1))
            guard extent >= 0, !overflow, product <= 1 << 48 else {
                throw SafetensorsError(.shapeOverflow(tensor: name, entry.shape), byte: byte)
            }
            elements = product
        }
        let count = entry.shape.contains(0) ? 0 : elements
        guard entry.begin <= entry.end, entry.end <= available ?? .max else {
            throw SafetensorsError(
                .offsetsOutOfRange(
                    tensor: name, begin: entry.begin, end: entry.end, available: available ?? .max),
                byte: byte)
        }
        guard entry.begin == expected else {
            throw SafetensorsError(
                .holeOrOverlap(tensor: name, begin: entry.begin, expected: expected), byte: byte)
        }
        guard entry.end - entry.begin == count * elementType.size else {
            throw SafetensorsError(
                .sizeMismatch(
                    tensor: name, bytes: entry.end - entry.begin, expected: count * elementType.size),
                byte: byte)
        }
        self.name = name
        self.elementType = elementType
        self.shape = entry.shape
        self.count = count
        data = entry.begin..<entry.end
    }
}
