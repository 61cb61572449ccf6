package import Tensor

extension RowStatistics {
    /// Adds the row's next elements as they lie in a file: little-endian, at any alignment.
    ///
    /// Every call but a row's last brings a multiple of `blockLength` elements, so that blocks, and with them the bits of
    /// the result, don't depend on how the row was split.
    /// - Complexity: O(bytes)
    package mutating func add(_ bytes: RawSpan, as type: ElementType) {
        if type == .float64 {
            var block = [Double](repeating: 0, count: min(bytes.byteCount / 8, RowStatistics.blockLength))
            for start in stride(from: 0, to: bytes.byteCount, by: RowStatistics.blockLength * 8) {
                let piece = bytes.extracting(
                    start..<min(start + RowStatistics.blockLength * 8, bytes.byteCount))
                var span = block.mutableSpan
                type.widen(piece, into: &span)
                add(block.span.extracting(0..<piece.byteCount / 8))
            }
        } else {
            let size = type.size
            var block = [Float](repeating: 0, count: min(bytes.byteCount / size, RowStatistics.blockLength))
            for start in stride(from: 0, to: bytes.byteCount, by: RowStatistics.blockLength * size) {
                let piece = bytes.extracting(
                    start..<min(start + RowStatistics.blockLength * size, bytes.byteCount))
                var span = block.mutableSpan
                type.widen(piece, into: &span)
                add(block.span.extracting(0..<piece.byteCount / size))
            }
        }
    }
}
