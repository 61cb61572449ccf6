package import Tensor

/// Contrasts one token's three rows of logits, [V] each: the anchor's with those of the other two views.
///
/// Rows are lent as they lie in a body, so that a caller can go on while the body arrives: results depend on the three
/// rows alone.
package struct RowContrast: Sendable {
    package let divergence: Divergence
    /// T > 0; every distribution is softmax(z/T).
    package let temperature: Double

    package init(_ divergence: Divergence, temperature: Double) {
        precondition(temperature > 0)
        self.divergence = divergence
        self.temperature = temperature
    }

    /// Statistics of the three rows and both divergences.
    /// - Parameter type: F32, F16, BF16 or F64.
    /// - Complexity: O(V)
    package func read(
        original: RawSpan, preserving: RawSpan, removing: RawSpan, as type: ElementType
    ) -> ContrastedRows {
        let a = WideRow(original, as: type, temperature: temperature)
        let p = WideRow(preserving, as: type, temperature: temperature)
        let n = WideRow(removing, as: type, temperature: temperature)
        var rows = ContrastedRows(original: a.outcome, preserving: p.outcome, removing: n.outcome)
        if a.isDefined && p.isDefined && n.isDefined {
            rows.divergences = ViewDivergences(
                preserving: divergence.value(anchor: a.logProbabilities, reference: p.logProbabilities),
                removing: divergence.value(anchor: a.logProbabilities, reference: n.logProbabilities))
        }
        return rows
    }

    /// Writes the slopes' part of ∂D(a‖p)/∂z + ∂D(a‖n)/∂z for the three views' logits, z before the division by
    /// temperature: each divergence's gradient times its slope.
    ///
    /// The rows' statistics must be defined. A span that is empty is not written; any other holds V elements.
    /// - Returns: whether everything written is finite.
    /// - Complexity: O(V)
    package func writeGradients(
        original: RawSpan, preserving: RawSpan, removing: RawSpan, as type: ElementType,
        slopes: ViewDivergences, toOriginal: inout MutableSpan<Float>, toPreserving: inout MutableSpan<Float>,
        toRemoving: inout MutableSpan<Float>
    ) -> Bool {
        let a = WideRow(original, as: type, temperature: temperature).logProbabilities
        let p = WideRow(preserving, as: type, temperature: temperature).logProbabilities
        let n = WideRow(removing, as: type, temperature: temperature).logProbabilities
        var forOriginal = [Double](repeating: 0, count: a.count)
        var forPreserving = forOriginal
        var forRemoving = forOriginal
        divergence.addGradient(
            anchor: a, reference: p, scale: slopes.preserving, temperature: temperature,
            toAnchor: &forOriginal,
            toReference: &forPreserving)
        divergence.addGradient(
            anchor: a, reference: n, scale: slopes.removing, temperature: temperature, toAnchor: &forOriginal,
            toReference: &forRemoving)
        let areFinite = [
            narrow(forOriginal, into: &toOriginal), narrow(forPreserving, into: &toPreserving),
            narrow(forRemoving, into: &toRemoving),
        ]
        return areFinite.allSatisfy { $0 }
    }
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
