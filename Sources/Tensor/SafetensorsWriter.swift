import JSON

/// Lays out a safetensors file whose sections are never joined: header first, then each tensor's bytes.
package struct SafetensorsWriter: Sendable {
    private struct Entry: Sendable {
        let name: String
        let elementType: ElementType
        let shape: [Int]
        let count: Int
        /// Nil for data that are written straight to where the file goes.
        let bytes: [UInt8]?
    }

    private var entries: [Entry] = []
    private var metadata: [JSONValue.Member] = []

    package init() {}

    package mutating func setMetadata(_ name: String, _ text: String) {
        metadata.append(.init(name, .string(text)))
    }

    /// Appends a tensor of raw little-endian bytes; `bytes.count` must be shape × element size.
    package mutating func append(_ name: String, _ elementType: ElementType, shape: [Int], bytes: [UInt8]) {
        let count = shape.reduce(1, *) * elementType.size
        precondition(bytes.count == count, "\(name): bytes don't match the shape")
        entries.append(Entry(name: name, elementType: elementType, shape: shape, count: count, bytes: bytes))
    }

    package mutating func append(_ name: String, shape: [Int], floats: [Float]) {
        append(name, .float32, shape: shape, bytes: littleEndianBytes(of: floats))
    }

    /// One F64 number without extents.
    package mutating func append(_ name: String, scalar: Double) {
        append(name, .float64, shape: [], bytes: littleEndianBytes(of: [scalar]))
    }

    package mutating func append(_ name: String, shape: [Int], masks: [UInt8]) {
        append(name, .uint8, shape: shape, bytes: masks)
    }

    package mutating func append(_ name: String, shape: [Int], integers: [Int64]) {
        append(name, .int64, shape: shape, bytes: littleEndianBytes(of: integers))
    }

    /// Reserves space for data that the caller puts where the file is going; see ``SafetensorsFile/range(reservedFor:)``.
    package mutating func reserve(_ name: String, _ elementType: ElementType, shape: [Int]) {
        entries.append(
            Entry(
                name: name, elementType: elementType, shape: shape,
                count: shape.reduce(elementType.size, *), bytes: nil))
    }

    /// Where everything goes. The header is padded with spaces so that the data starts at a multiple of 8, and wider
    /// elements come first so that each tensor is aligned, as the reference writer does.
    package consuming func file() -> SafetensorsFile {
        let sorted = entries.sorted { ($1.elementType.size, $0.name) < ($0.elementType.size, $1.name) }
        var writer = JSONWriter()
        let metadata = self.metadata
        writer.object { writer in
            if !metadata.isEmpty { writer.member("__metadata__", .object(metadata)) }
            var offset = 0
            for entry in sorted {
                let end = offset + entry.count
                writer.name(entry.name)
                writer.object { writer in
                    writer.name("dtype")
                    writer.string(entry.elementType.rawValue)
                    writer.name("shape")
                    writer.array { writer in for extent in entry.shape { writer.integer(extent) } }
                    writer.name("data_offsets")
                    writer.array { writer in
                        writer.integer(offset)
                        writer.integer(end)
                    }
                }
                offset = end
            }
        }
        var text = writer.bytes
        while text.count % 8 != 0 { text.append(UInt8(ascii: " ")) }
        var header: [UInt8] = []
        header.reserveCapacity(8 + text.count)
        for shift in stride(from: 0, to: 64, by: 8) {
            header.append(UInt8(truncatingIfNeeded: text.count >> shift))
        }
        header.append(contentsOf: text)
        var sections: [SafetensorsFile.Section] = []
        var start = header.count
        for entry in sorted {
            sections.append(.init(name: entry.name, range: start..<start + entry.count, bytes: entry.bytes))
            start += entry.count
        }
        return SafetensorsFile(header: header, sections: sections)
    }

    /// Header and data segments of a file all of whose data are here.
    package consuming func segments() -> [[UInt8]] { file().segments }
}

/// A safetensors file to be written: its header, and where each tensor's data go.
package struct SafetensorsFile: Sendable {
    package struct Section: Sendable {
        package let name: String
        /// Of the file's bytes.
        package let range: Range<Int>
        /// Nil for data that are written where the file goes.
        package let bytes: [UInt8]?
    }

    package let header: [UInt8]
    package let sections: [Section]

    package var count: Int { sections.last?.range.upperBound ?? header.count }

    var segments: [[UInt8]] {
        [header]
            + sections.filter { !$0.range.isEmpty }.map { section in
                guard let bytes = section.bytes else {
                    preconditionFailure("\(section.name) was only reserved")
                }
                return bytes
            }
    }

    /// Where the data of a reserved tensor go; nil when there is none of this name.
    package func range(reservedFor name: String) -> Range<Int>? {
        sections.first { $0.name == name && $0.bytes == nil }?.range
    }
}

/// The machine's byte order is checked once here: every supported machine is little-endian.
func littleEndianBytes<Element: BitwiseCopyable>(of elements: [Element]) -> [UInt8] {
    precondition(UInt16(1).littleEndian == 1, "safetensors is little-endian, and so must be the machine")
    return unsafe elements.withUnsafeBytes { unsafe [UInt8]($0) }
}
