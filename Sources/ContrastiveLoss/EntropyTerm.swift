import Batches

/// The mean of −log-probability over the response tokens, which estimates the entropy of a view. The objective adds it
/// with a coefficient (the "double entropy" of PAPO, arXiv 2507.06448).
package struct EntropyTerm: Sendable, Equatable {
    package let view: View
    package let coefficient: Double
    package let numerator: Double
    /// The number of response tokens + 1e-8. For views other than the original, only sequences that have views count.
    package let denominator: Double

    package var value: Double { numerator / denominator }

    /// - Complexity: O(N)
    init(_ view: View, coefficient: Double, _ batch: TokenBatch) {
        guard let logProbabilities = batch.logProbabilities[view] else {
            preconditionFailure("an entropy term needs log-probabilities")
        }
        self.view = view
        self.coefficient = coefficient
        let aggregated = Aggregation().aggregate(
            losses: logProbabilities.doubles, mask: batch.mask(of: view), sequences: batch.sequences)
        numerator = 0 - aggregated.numerator
        denominator = aggregated.denominator
    }
}
