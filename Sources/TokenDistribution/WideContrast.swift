import Glibc
import Tensor

/// One token's rows of F64 logits, computed from log-probabilities held in Double: what an F64 row has more digits for.
struct WideContrast {
    private let contrast: RowContrast
    private let original: [Double]
    private let preserving: [Double]
    private let removing: [Double]

    /// - Parameters: rows [V] of F64 logits whose statistics are defined.
    /// - Complexity: O(V) time and memory
    init(_ contrast: RowContrast, _ original: RawSpan, _ preserving: RawSpan, _ removing: RawSpan) {
        self.contrast = contrast
        self.original = logProbabilities(original, as: .float64, temperature: contrast.temperature)
        self.preserving = logProbabilities(preserving, as: .float64, temperature: contrast.temperature)
        self.removing = logProbabilities(removing, as: .float64, temperature: contrast.temperature)
    }

    var divergences: ViewDivergences {
        ViewDivergences(
            preserving: contrast.divergence.value(anchor: original, reference: preserving),
            removing: contrast.divergence.value(anchor: original, reference: removing))
    }

    func writeGradients(
        _ slopes: ViewDivergences, _ toOriginal: inout MutableSpan<Float>,
        _ toPreserving: inout MutableSpan<Float>, _ toRemoving: inout MutableSpan<Float>
    ) -> Bool {
        var forOriginal = [Double](repeating: 0, count: original.count)
        var forPreserving = forOriginal
        var forRemoving = forOriginal
        contrast.divergence.addGradient(
            anchor: original, reference: preserving, scale: slopes.preserving,
            temperature: contrast.temperature, toAnchor: &forOriginal, toReference: &forPreserving)
        contrast.divergence.addGradient(
            anchor: original, reference: removing, scale: slopes.removing, temperature: contrast.temperature,
            toAnchor: &forOriginal, toReference: &forRemoving)
        let areFinite = [
            narrow(forOriginal, into: &toOriginal), narrow(forPreserving, into: &toPreserving),
            narrow(forRemoving, into: &toRemoving),
        ]
        return areFinite.allSatisfy { $0 }
    }
}

/// log softmax(z/T) of a row of logits, [V], in Double throughout.
///
/// Differences are taken before the division: log-probabilities of near-equal rows are differences of large numbers.
/// - Complexity: O(V)
func logProbabilities(_ logits: RawSpan, as type: ElementType, temperature: Double) -> [Double] {
    let count = logits.byteCount / type.size
    var values = [Double](repeating: 0, count: count)
    var span = values.mutableSpan
    type.widen(logits, into: &span)
    let maximum = values.max() ?? 0
    var sum = 0.0
    for index in values.indices {
        values[index] = (values[index] - maximum) / temperature
        sum += exp(values[index])
    }
    let logSum = log(sum)
    for index in values.indices { values[index] -= logSum }
    return values
}

/// Rounds to Float; an empty output is left alone.
/// - Returns: whether all that was written is finite.
func narrow(_ values: [Double], into output: inout MutableSpan<Float>) -> Bool {
    guard output.count > 0 else { return true }
    precondition(output.count == values.count)
    var isFinite = true
    for index in values.indices {
        output[index] = Float(values[index])
        if !output[index].isFinite { isFinite = false }
    }
    return isFinite
}
