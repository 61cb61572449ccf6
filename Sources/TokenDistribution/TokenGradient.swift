import Glibc
package import Tensor

/// Writes slope · ∂(log-probability of `token`)/∂z = slope · (1[v = token] − softmax(z/T)[v]) / T for one row [V].
///
/// The row's statistics must be defined.
/// - Returns: whether everything written is finite.
/// - Complexity: O(V)
package func writeTokenGradient(
    of token: Int, slope: Double, logits: RawSpan, as type: ElementType, temperature: Double,
    into output: inout MutableSpan<Float>
) -> Bool {
    var values = WideRow(logits, as: type, temperature: temperature).logProbabilities
    precondition(values.indices.contains(token))
    let factor = slope / temperature
    for index in values.indices {
        // 1 − p as −expm1(log p): exact for a token that is nearly certain.
        values[index] = index == token ? -factor * expm1(values[index]) : -factor * exp(values[index])
    }
    return narrow(values, into: &output)
}
