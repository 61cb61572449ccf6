import Glibc
package import Tensor

/// Writes slope · ∂(log-probability of `token`)/∂z = slope · (1[v = token] − softmax(z/T)[v]) / T for one row [V], or adds
/// it. A slope of 0 gives zeros and looks at no logit.
///
/// The row's statistics must be defined. Computed in Double, as `RowContrast` does.
/// - Returns: whether everything written is finite.
/// - Complexity: O(V)
package func writeTokenGradient(
    of token: Int, slope: Double, logits: RawSpan, as type: ElementType, temperature: Double,
    instructionSet: InstructionSet = .inUse, to output: RowOutput
) -> Bool {
    precondition(output.count == logits.byteCount / type.size && (0..<output.count).contains(token))
    guard slope != 0 else {
        output.clear()
        return true
    }
    let factor = slope / temperature
    guard let element = KernelElement(type) else {
        var values = logProbabilities(logits, as: type, temperature: temperature)
        for index in values.indices {
            values[index] = -factor * (index == token ? expm1(values[index]) : exp(values[index]))
        }
        return output.put(values)
    }
    var statistics = RowStatistics(temperature: temperature, instructionSet: instructionSet)
    statistics.add(logits, as: type)
    var scale = RowScale(pivot: statistics.pivot)
    let kernels = ContrastKernels(
        element: element, temperature: temperature, instructionSet: instructionSet)
    scale.sum = kernels.sum(logits, scale)
    let before = output.adds ? output.value(at: token) : 0
    let isFinite = kernels.writeSoftmax(logits, scale, factor: -factor, to: output)
    var logit = [0.0]
    var span = logit.mutableSpan
    type.widen(logits.extracting(token * type.size..<(token + 1) * type.size), into: &span)
    // 1 − p as −expm1(log p): exact for a token that is nearly certain.
    let rest = -expm1((logit[0] - scale.pivot) / temperature - log(scale.sum))
    return output.set(before + factor * rest, at: token) && isFinite
}
