import Batches

/// The mean of −log-probability over the response's tokens: an estimate of a view's entropy, which the objective adds
/// with a coefficient (PAPO's "double entropy", arXiv 2507.06448).
package struct EntropyTerm: Sendable, Equatable {
    package let view: View
    package let coefficient: Double
    package let numerator: Double
    /// Response tokens + 1e-8; for a view other than the original, those of sequences that have views.
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
