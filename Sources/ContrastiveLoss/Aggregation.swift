package import Perception

/// How token losses become one number; verl's `loss_agg_mode` names.
package struct Aggregation: Sendable, Equatable {
    package enum Mode: String, Sendable, CaseIterable {
        /// Σ c·m / (Σ m + 1e-8) over the whole batch.
        case tokenMean = "token-mean"
        /// Mean over sequences of Σ c·m.
        case sequenceMeanTokenSum = "seq-mean-token-sum"
        /// Mean over sequences of Σ c·m / (Σ m + 1e-8).
        case sequenceMeanTokenMean = "seq-mean-token-mean"
        /// Mean over sequences of Σ c·m / length, the length a constant or T.
        case sequenceMeanTokenSumNorm = "seq-mean-token-sum-norm"
    }

    package var mode: Mode
    /// The length of `seq-mean-token-sum-norm`; nil takes T (the longest sequence where rows differ).
    package var normLength: Double?
    /// What the seq-* modes divide by; nil takes B. A trainer with micro-batches gives its whole batch.
    package var globalBatchSize: Int?

    package init(mode: Mode = .tokenMean, normLength: Double? = nil, globalBatchSize: Int? = nil) {
        self.mode = mode
        self.normLength = normLength
        self.globalBatchSize = globalBatchSize
    }

    /// Keeps a denominator from being 0; the reference implementations' own constant.
    static let epsilon = 1e-8
}

/// loss = numerator / denominator, and ∂loss/∂c for the tokens of each row.
package struct AggregatedLoss: Sendable, Equatable {
    package var loss: Double
    package var numerator: Double
    package var denominator: Double
    /// [B]: what one selected token's loss weighs, by row.
    package var tokenWeights: [Double]
}

extension Aggregation {
    /// - Parameters: token losses and mask, flat over N.
    /// - Complexity: O(N). Sums run in token order, so the result doesn't depend on threads.
    package func aggregate(losses: [Double], mask: [UInt8], rows: Rows) -> AggregatedLoss {
        precondition(losses.count == rows.tokens && mask.count == rows.tokens)
        var rowSums = [Double](repeating: 0, count: rows.count)
        var rowCounts = [Double](repeating: 0, count: rows.count)
        for row in 0..<rows.count {
            for token in rows[row] where mask[token] == 1 {
                rowSums[row] += losses[token]
                rowCounts[row] += 1
            }
        }
        let rowDivisors: [Double]
        let denominator: Double
        switch mode {
        case .tokenMean:
            rowDivisors = [Double](repeating: 1, count: rows.count)
            denominator = rowCounts.reduce(0, +) + Aggregation.epsilon
        case .sequenceMeanTokenSum:
            rowDivisors = [Double](repeating: 1, count: rows.count)
            denominator = Double(globalBatchSize ?? rows.count)
        case .sequenceMeanTokenMean:
            rowDivisors = rowCounts.map { $0 + Aggregation.epsilon }
            denominator = Double(globalBatchSize ?? rows.count)
        case .sequenceMeanTokenSumNorm:
            // Rows without tokens have nothing to divide.
            let length = normLength ?? Double(max(1, rows.longest))
            rowDivisors = [Double](repeating: length, count: rows.count)
            denominator = Double(globalBatchSize ?? rows.count)
        }
        let numerator = zip(rowSums, rowDivisors).reduce(0) { $0 + $1.0 / $1.1 }
        return AggregatedLoss(
            // An empty batch has loss 0, not 0/0.
            loss: denominator > 0 ? numerator / denominator : 0,
            numerator: numerator, denominator: denominator,
            tokenWeights: rowDivisors.map { 1 / ($0 * denominator) })
    }
}
