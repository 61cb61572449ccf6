import JSON

/// Builds a safetensors file as separate segments: header first, then each tensor's bytes, never joined.
package struct SafetensorsWriter: Sendable {
    private var entries: [(name: String, elementType: ElementType, shape: [Int], bytes: [UInt8])] = []
    private var metadata: [JSONValue.Member] = []

    package init() {}

    package mutating func setMetadata(_ name: String, _ text: String) {
        metadata.append(.init(name, .string(text)))
    }

    /// Appends a tensor of raw little-endian bytes; `bytes.count` must be shape × element size.
    package mutating func append(_ name: String, _ elementType: ElementType, shape: [Int], bytes: [UInt8]) {
        precondition(
            bytes.count == shape.reduce(1, *) * elementType.size, "\(name): bytes don't match the shape")
        entries.append((name, elementType, shape, bytes))
    }

    package mutating func append(_ name: String, shape: [Int], floats: [Float]) {
        append(name, .float32, shape: shape, bytes: littleEndianBytes(of: floats))
    }

    package mutating func append(_ name: String, shape: [Int], masks: [UInt8]) {
        append(name, .uint8, shape: shape, bytes: masks)
    }

    package mutating func append(_ name: String, shape: [Int], integers: [Int64]) {
        append(name, .int64, shape: shape, bytes: littleEndianBytes(of: integers))
    }

    /// Header and data segments. The header is padded with spaces so that the data starts at a multiple of 8, and wider
    /// elements come first so that each tensor is aligned, as the reference writer does.
    package consuming func segments() -> [[UInt8]] {
        let sorted = entries.sorted { ($1.elementType.size, $0.name) < ($0.elementType.size, $1.name) }
        var writer = JSONWriter()
        let metadata = self.metadata
        writer.object { writer in
            if !metadata.isEmpty { writer.member("__metadata__", .object(metadata)) }
            var offset = 0
            for entry in sorted {
                writer.member(
                    entry.name,
                    [
                        "dtype": .string(entry.elementType.rawValue),
                        "shape": .array(entry.shape.map { .integer(Int64($0)) }),
                        "data_offsets": [
                            .integer(Int64(offset)), .integer(Int64(offset + entry.bytes.count)),
                        ],
                    ])
                offset += entry.bytes.count
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
        return [header] + sorted.map(\.bytes).filter { !$0.isEmpty }
    }
}

/// The machine's byte order is checked once here: every supported machine is little-endian.
func littleEndianBytes<Element: BitwiseCopyable>(of elements: [Element]) -> [UInt8] {
    precondition(UInt16(1).littleEndian == 1, "safetensors is little-endian, and so must be the machine")
    return unsafe elements.withUnsafeBytes { unsafe [UInt8]($0) }
}
