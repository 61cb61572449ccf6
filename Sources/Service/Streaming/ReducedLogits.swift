import ContrastiveLoss
import TokenDistribution

/// The statistics that remain of a tensor of logits. Lists are flat over its rows, [N] or [N, slices].
struct ReducedLogits: Sendable {
    /// The outcome of each row. For rows that were known not to count, it is a placeholder.
    var outcomes: [RowStatistics.Outcome] = []
    /// z of the realised token; NaN if it is not needed or not in the vocabulary.
    var tokenLogits: [Double] = []
    /// [N], if tokens were contrasted. An element is nil if a row's statistics are undefined or the token does not
    /// count.
    var divergences: [PairValues?]?

    var heldBytes: Int {
        outcomes.capacity * MemoryLayout<RowStatistics.Outcome>.stride
            + tokenLogits.capacity * MemoryLayout<Double>.stride
            + (divergences?.capacity ?? 0) * MemoryLayout<PairValues?>.stride
    }
}
