import Tensor
import TokenDistribution

/// What is measured.
enum Kernel: String, CaseIterable {
    /// Log-sum-exp and entropy of each row.
    case statistics
    /// Statistics and KL(a‖p), KL(a‖n) of each three rows that follow one another.
    case kullbackLeibler = "kullback-leibler"
    /// The same with Jensen–Shannon divergences.
    case jensenShannon = "jensen-shannon"
    /// All three rows' gradients of both divergences, written as Floats: as many bytes again as F32 rows have.
    case kullbackLeiblerGradient = "kullback-leibler-gradient"
    case jensenShannonGradient = "jensen-shannon-gradient"
    /// The gradient of a token's log-probability for each row, written as Floats.
    case tokenGradient = "token-gradient"

    /// Rows that are read together.
    var rowsAtOnce: Int {
        switch self {
        case .statistics, .tokenGradient: 1
        case .kullbackLeibler, .jensenShannon, .kullbackLeiblerGradient, .jensenShannonGradient: 3
        }
    }

    private var writesGradients: Bool {
        switch self {
        case .statistics, .kullbackLeibler, .jensenShannon: false
        case .kullbackLeiblerGradient, .jensenShannonGradient, .tokenGradient: true
        }
    }

    /// Runs over the rows, those read together where the first of them is in `rows`; returns a sum of results, so that
    /// nothing is left out as unused.
    func run(_ workload: Workload, rows: Range<Int>, _ set: InstructionSet) -> Double {
        var total = 0.0
        var gradients = [Float](
            repeating: 0, count: writesGradients ? rowsAtOnce * Workload.vocabulary : 0)
        let bytes = unsafe workload.bytes.span.bytes
        let first = (rows.lowerBound + rowsAtOnce - 1) / rowsAtOnce * rowsAtOnce
        for row in stride(from: first, to: rows.upperBound, by: rowsAtOnce)
        where row + rowsAtOnce <= workload.rows {
            let together = bytes.extracting(
                row * workload.rowBytes..<(row + rowsAtOnce) * workload.rowBytes)
            switch self {
            case .statistics:
                var statistics = RowStatistics(temperature: 1, instructionSet: set)
                statistics.add(together, as: workload.type)
                if case .defined(let summary) = statistics.outcome { total += summary.entropy }
            case .kullbackLeibler: total += contrast(.kullbackLeibler, together, workload.type, set)
            case .jensenShannon: total += contrast(.jensenShannon, together, workload.type, set)
            case .kullbackLeiblerGradient:
                total += gradient(.kullbackLeibler, together, workload.type, set, &gradients)
            case .jensenShannonGradient:
                total += gradient(.jensenShannon, together, workload.type, set, &gradients)
            case .tokenGradient:
                unsafe gradients.withUnsafeMutableBufferPointer { output in
                    _ = unsafe writeTokenGradient(
                        of: 7, slope: 1, logits: together, as: workload.type, temperature: 1,
                        instructionSet: set, to: RowOutput(output))
                }
                total += Double(gradients[7])
            }
        }
        return total
    }

    private func contrast(
        _ divergence: Divergence, _ rows: RawSpan, _ type: ElementType, _ set: InstructionSet
    ) -> Double {
        let size = rows.byteCount / 3
        let (original, preserving, removing) = (
            rows.extracting(first: size), rows.extracting(size..<2 * size), rows.extracting(last: size)
        )
        let contrast = RowContrast(divergence, temperature: 1, instructionSet: set)
        let found = contrast.divergences(
            anchor: original, first: preserving, second: removing, as: type,
            anchorStatistics: contrast.statistics(original, as: type),
            referenceStatistics: PerReference(
                contrast.statistics(preserving, as: type), contrast.statistics(removing, as: type)))
        return found.first - (found.second ?? 0)
    }

    private func gradient(
        _ divergence: Divergence, _ rows: RawSpan, _ type: ElementType, _ set: InstructionSet,
        _ gradients: inout [Float]
    ) -> Double {
        let size = rows.byteCount / 3
        let (original, preserving, removing) = (
            rows.extracting(first: size), rows.extracting(size..<2 * size), rows.extracting(last: size)
        )
        let width = gradients.count / 3
        unsafe gradients.withUnsafeMutableBufferPointer { memory in
            func output(_ view: Int) -> RowOutput {
                unsafe RowOutput(
                    UnsafeMutableBufferPointer(rebasing: memory[view * width..<(view + 1) * width]))
            }
            var outputs = ContrastOutputs(anchor: output(0), first: output(1), second: output(2))
            _ = RowContrast(divergence, temperature: 1, instructionSet: set).writeGradients(
                anchor: original, first: preserving, second: removing, as: type,
                slopes: PerReference(1, -1), to: &outputs)
        }
        return Double(gradients[7] + gradients[width + 7] + gradients[2 * width + 7])
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
