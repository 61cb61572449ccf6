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
    /// Element types of the format that are not read here.
    package static let otherElementTypes: Set<String> = [
        "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F4", "F6_E2M3", "F6_E3M2", "C64",
    ]
    static let maximumRank = 8

    /// - Complexity: O(header bytes); the data is not read.
    package init(parsing bytes: [UInt8]) throws(SafetensorsError) {
        var prefix = SafetensorsPrefix(fileLength: bytes.count)
        guard let layout = try prefix.consume(unsafe bytes.span.bytes).layout else { throw prefix.truncation }
        metadata = layout.metadata
        names = layout.entries.map(\.name)
        tensors = layout.entries.reduce(into: [:]) { tensors, entry in
            tensors[entry.name] = DenseTensor(
                entry, viewing: bytes, start: layout.dataStart + entry.data.lowerBound)
        }
    }
}
