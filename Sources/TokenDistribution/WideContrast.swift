import Glibc
import Tensor

/// One token's rows of F64 logits, computed from log-probabilities held in Double: what an F64 row has more digits for.
struct WideContrast {
    private let contrast: RowContrast
    private let anchor: [Double]
    private let references: PerReference<[Double]>

    /// - Parameters: rows [V] of F64 logits whose statistics are defined; the second is empty where there is one reference.
    /// - Complexity: O(V) time and memory
    init(_ contrast: RowContrast, _ anchor: RawSpan, _ first: RawSpan, _ second: RawSpan) {
        self.contrast = contrast
        self.anchor = logProbabilities(anchor, as: .float64, temperature: contrast.temperature)
        references = PerReference(
            logProbabilities(first, as: .float64, temperature: contrast.temperature),
            second.isEmpty
                ? nil : logProbabilities(second, as: .float64, temperature: contrast.temperature))
    }

    var divergences: PerReference<Double> {
        references.map { contrast.divergence.value(anchor: anchor, reference: $0) }
    }

    func writeGradients(_ slopes: PerReference<Double>, _ outputs: inout ContrastOutputs) -> Bool {
        var toAnchor = [Double](repeating: 0, count: anchor.count)
        var areFinite = outputs.first.put(
            gradient(references.first, slope: slopes.first, adding: &toAnchor))
        if let second = references.second, let slope = slopes.second {
            let toSecond = gradient(second, slope: slope, adding: &toAnchor)
            if !outputs.second.put(toSecond) { areFinite = false }
        }
        return outputs.anchor.put(toAnchor) && areFinite
    }

    private func gradient(
        _ reference: [Double], slope: Double, adding toAnchor: inout [Double]
    ) -> [Double] {
        var toReference = [Double](repeating: 0, count: reference.count)
        contrast.divergence.addGradient(
            anchor: anchor, reference: reference, scale: slope, temperature: contrast.temperature,
            toAnchor: &toAnchor, toReference: &toReference)
        return toReference
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
