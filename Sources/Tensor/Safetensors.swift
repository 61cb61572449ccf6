import JSON

/// A parsed safetensors file: named tensors viewing its bytes, and its string metadata.
///
/// Format: u64 little-endian header length, JSON header, data. Every rule of the format is enforced, because two readers
/// that disagree about a file are an attack: offsets contiguous in some order, without holes or overlaps, ending
/// exactly at the end; sizes equal to shape × element size; no duplicate names.
/// Source: huggingface/safetensors, README "Format" and its attack notes.
package struct Safetensors: Sendable {
    package let metadata: [String: String]
    package let tensors: [String: DenseTensor]
    /// Tensor names in the order of their data.
    package let names: [String]

    /// The format's own limit for the JSON header, in bytes.
    package static let maximumHeaderBytes = 100_000_000
    /// More dimensions than any request of this service has; bounds the work per tensor.
    static let maximumRank = 8

    /// - Complexity: O(header bytes); the data is not read.
    package init(parsing bytes: [UInt8]) throws(SafetensorsError) {
        guard bytes.count >= 8 else { throw SafetensorsError(.truncatedLength, byte: bytes.count) }
        var length: UInt64 = 0
        for index in (0..<8).reversed() { length = length << 8 | UInt64(bytes[index]) }
        guard length <= UInt64(Safetensors.maximumHeaderBytes) else {
            throw SafetensorsError(.headerTooLarge(claimed: length), byte: 0)
        }
        let dataStart = 8 + Int(length)
        guard dataStart <= bytes.count else {
            throw SafetensorsError(
                .truncatedHeader(claimed: Int(length), available: bytes.count - 8), byte: 0)
        }
        guard length > 0, bytes[8] == UInt8(ascii: "{") else {
            throw SafetensorsError(.headerNotAnObject, byte: 8)
        }

        var header = SafetensorsHeader()
        do throws(JSONError) {
            header = try SafetensorsHeader(parsing: Array(bytes[8..<dataStart]))
        } catch {
            throw SafetensorsError(.header(error), byte: 8 + error.byte)
        }

        let available = bytes.count - dataStart
        var tensors: [String: DenseTensor] = [:]
        var names: [String] = []
        var expectedStart = 0
        // Empty tensors share their start with a neighbour; by (begin, end) they still follow without holes.
        for entry in header.entries.sorted(by: { ($0.begin, $0.end) < ($1.begin, $1.end) }) {
            let name = entry.name
            guard let elementType = ElementType(rawValue: entry.elementType) else {
                throw SafetensorsError(
                    .unknownElementType(tensor: name, entry.elementType), byte: 8 + entry.byte)
            }
            guard entry.shape.count <= Safetensors.maximumRank else {
                throw SafetensorsError(.shapeOverflow(tensor: name, entry.shape), byte: 8 + entry.byte)
            }
            var count = 1
            for extent in entry.shape {
                let (product, overflow) = count.multipliedReportingOverflow(by: extent)
                guard extent >= 0, !overflow, product <= 1 << 48 else {
                    throw SafetensorsError(.shapeOverflow(tensor: name, entry.shape), byte: 8 + entry.byte)
                }
                count = product
            }
            guard entry.begin <= entry.end, entry.end <= available else {
                throw SafetensorsError(
                    .offsetsOutOfRange(
                        tensor: name, begin: entry.begin, end: entry.end, available: available),
                    byte: 8 + entry.byte)
            }
            guard entry.begin == expectedStart else {
                throw SafetensorsError(
                    .holeOrOverlap(tensor: name, begin: entry.begin, expected: expectedStart),
                    byte: 8 + entry.byte)
            }
            guard entry.end - entry.begin == count * elementType.size else {
                throw SafetensorsError(
                    .sizeMismatch(
                        tensor: name, bytes: entry.end - entry.begin, expected: count * elementType.size),
                    byte: 8 + entry.byte)
            }
            expectedStart = entry.end
            names.append(name)
            tensors[name] = DenseTensor(
                viewing: bytes, start: dataStart + entry.begin, elementType: elementType, shape: entry.shape,
                count: count)
        }
        guard expectedStart == available else {
            throw SafetensorsError(
                .trailingData(used: expectedStart, available: available), byte: dataStart + expectedStart)
        }
        self.metadata = header.metadata
        self.tensors = tensors
        self.names = names
    }
}
