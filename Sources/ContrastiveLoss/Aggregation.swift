package import Batches

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
        /// Σ c·m / denominator, a number that the trainer gives: its whole batch's tokens, say.
        case tokenSum = "token-sum"

        /// Whether it divides by a number of sequences.
        package var countsSequences: Bool {
            switch self {
            case .sequenceMeanTokenSum, .sequenceMeanTokenMean, .sequenceMeanTokenSumNorm: true
            case .tokenMean, .tokenSum: false
            }
        }
    }

    package var mode: Mode
    /// The length of `seq-mean-token-sum-norm`; nil takes T (the longest sequence where rows differ).
    package var normLength: Double?
    /// What the seq-* modes divide by; nil takes B. A trainer with micro-batches gives its whole batch.
    package var globalBatchSize: Int?
    /// What `token-sum` divides by; it must be there in that mode.
    package var denominator: Double?

    package init(
        mode: Mode = .tokenMean, normLength: Double? = nil, globalBatchSize: Int? = nil,
        denominator: Double? = nil
    ) {
        self.mode = mode
        self.normLength = normLength
        self.globalBatchSize = globalBatchSize
        self.denominator = denominator
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

    package init(loss: Double, numerator: Double, denominator: Double, tokenWeights: [Double]) {
        self.loss = loss
        self.numerator = numerator
        self.denominator = denominator
        self.tokenWeights = tokenWeights
    }

    /// That of no terms.
    static let none = AggregatedLoss(loss: 0, numerator: 0, denominator: 1, tokenWeights: [])
}

extension Aggregation {
    /// - Parameters: token losses and mask, flat over N.
    /// - Complexity: O(N). Each row's sum has its own fixed order, so the result doesn't depend on threads.
    package func aggregate(losses: [Double], mask: [UInt8], rows: Rows) -> AggregatedLoss {
        precondition(losses.count == rows.tokens && mask.count == rows.tokens)
        let sums = (0..<rows.count).map { sum(of: losses.span, where: mask.span, in: rows[$0]) }
        return aggregate(sums: sums, mask: mask, rows: rows)
    }

    /// - Parameter sums: [B], of each row's token losses where the mask is 1.
    func aggregate(sums: [Double], mask: [UInt8], rows: Rows) -> AggregatedLoss {
        precondition(sums.count == rows.count && mask.count == rows.tokens)
        let divisors = Divisors(self, mask, rows)
        var numerator = 0.0
        for row in 0..<rows.count { numerator += sums[row] / divisors.rows[row] }
        return AggregatedLoss(
            // An empty batch has loss 0, not 0/0.
            loss: divisors.whole > 0 ? numerator / divisors.whole : 0,
            numerator: numerator, denominator: divisors.whole, tokenWeights: divisors.tokenWeights)
    }

    /// [B]: what one selected token's loss weighs, by row, whatever it is.
    package func tokenWeights(mask: [UInt8], rows: Rows) -> [Double] {
        precondition(mask.count == rows.tokens)
        return Divisors(self, mask, rows).tokenWeights
    }
}

/// What the sum of each row, and then the sum over rows, is divided by.
private struct Divisors {
    let rows: [Double]
    let whole: Double

    init(_ aggregation: Aggregation, _ mask: [UInt8], _ rows: Rows) {
        lazy var counts = (0..<rows.count).map { Double(count(of: mask.span, in: rows[$0])) }
        switch aggregation.mode {
        case .tokenMean:
            self.rows = [Double](repeating: 1, count: rows.count)
            whole = counts.reduce(0, +) + Aggregation.epsilon
        case .tokenSum:
            guard let denominator = aggregation.denominator else {
                preconditionFailure("token-sum needs a denominator")
            }
            self.rows = [Double](repeating: 1, count: rows.count)
            whole = denominator
        case .sequenceMeanTokenSum:
            self.rows = [Double](repeating: 1, count: rows.count)
            whole = Double(aggregation.globalBatchSize ?? rows.count)
        case .sequenceMeanTokenMean:
            self.rows = counts.map { $0 + Aggregation.epsilon }
            whole = Double(aggregation.globalBatchSize ?? rows.count)
        case .sequenceMeanTokenSumNorm:
            // Rows without tokens have nothing to divide.
            let length = aggregation.normLength ?? Double(max(1, rows.longest))
            self.rows = [Double](repeating: length, count: rows.count)
            whole = Double(aggregation.globalBatchSize ?? rows.count)
        }
    }

    var tokenWeights: [Double] { rows.map { 1 / ($0 * whole) } }
}
