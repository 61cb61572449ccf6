import Tensor
import TokenDistribution

/// What is measured.
enum Kernel: String, CaseIterable {
    /// Log-sum-exp and entropy of each row.
    case statistics

    /// Runs over the rows; returns a sum of results, so that nothing is left out as unused.
    func run(_ workload: Workload, rows: Range<Int>, _ set: InstructionSet) -> Double {
        var total = 0.0
        let bytes = unsafe workload.bytes.span.bytes
        for row in rows {
            switch self {
            case .statistics:
                var statistics = RowStatistics(temperature: 1, instructionSet: set)
                statistics.add(
                    bytes.extracting(row * workload.rowBytes..<(row + 1) * workload.rowBytes),
                    as: workload.type)
                if case .defined(_, let entropy) = statistics.outcome { total += entropy }
            }
        }
        return total
    }
}

/// The limit: every byte is loaded and added up, and nothing else.
func readAll(_ workload: Workload, rows: Range<Int>) -> UInt64 {
    let bytes = unsafe workload.bytes.span.bytes
    var sums = (SIMD8<UInt64>(), SIMD8<UInt64>())
    let end = rows.upperBound * workload.rowBytes
    for start in stride(from: rows.lowerBound * workload.rowBytes, to: end - 127, by: 128) {
        // In bounds: start + 128 ≤ end.
        sums.0 &+= unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: start, as: SIMD8<UInt64>.self)
        sums.1 &+= unsafe bytes.unsafeLoadUnaligned(
            fromUncheckedByteOffset: start + 64, as: SIMD8<UInt64>.self)
    }
    return (sums.0 &+ sums.1).wrappedSum()
}
