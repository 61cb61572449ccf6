package import Batches

/// The way in which token losses become one number. The names are those of verl's `loss_agg_mode`.
package struct Aggregation: Sendable, Equatable {
    package enum Mode: String, Sendable, CaseIterable {
        /// Σ c·m / (Σ m + 1e-8) over the whole batch.
        case tokenMean = "token-mean"
        /// Mean over sequences of Σ c·m.
        case sequenceMeanTokenSum = "seq-mean-token-sum"
        /// Mean over sequences of Σ c·m / (Σ m + 1e-8).
        case sequenceMeanTokenMean = "seq-mean-token-mean"
        /// Mean over sequences of Σ c·m / length. The length is a constant or T.
        case sequenceMeanTokenSumNorm = "seq-mean-token-sum-norm"
        /// Σ c·m / denominator. The trainer gives the denominator, such as the number of tokens in its whole batch.
        case tokenSum = "token-sum"

        /// A Boolean value indicating whether the mode divides by a number of sequences.
        package var countsSequences: Bool {
            switch self {
            case .sequenceMeanTokenSum, .sequenceMeanTokenMean, .sequenceMeanTokenSumNorm: true
            case .tokenMean, .tokenSum: false
            }
        }
    }

    package var mode: Mode
    /// The length in `seq-mean-token-sum-norm`; nil for T, or for the longest sequence if lengths differ.
    package var normLength: Double?
    /// The divisor of the seq-* modes; nil for B. A trainer with micro-batches gives the size of its whole batch.
    package var globalBatchSize: Int?
    /// The divisor of `token-sum`, which requires one.
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

    /// Keeps denominators above 0. The constant is that of the reference implementations.
    static let epsilon = 1e-8
}

/// An aggregated loss, loss = numerator / denominator, with ∂loss/∂c for the tokens of each sequence.
package struct AggregatedLoss: Sendable, Equatable {
    package var loss: Double
    package var numerator: Double
    package var denominator: Double
    /// [B]: the weight of one selected token's loss, by sequence.
    package var tokenWeights: [Double]

    package init(loss: Double, numerator: Double, denominator: Double, tokenWeights: [Double]) {
        self.loss = loss
        self.numerator = numerator
        self.denominator = denominator
        self.tokenWeights = tokenWeights
    }

    /// The loss without terms.
    static let none = AggregatedLoss(loss: 0, numerator: 0, denominator: 1, tokenWeights: [])
}

extension Aggregation {
    /// Aggregates token losses. Losses and mask are flat over N.
    /// - Complexity: O(N). Each sequence is summed in a fixed order, so the result does not depend on threads.
    package func aggregate(losses: [Double], mask: [UInt8], sequences: Sequences) -> AggregatedLoss {
        precondition(losses.count == sequences.tokens && mask.count == sequences.tokens)
        let sums = (0..<sequences.count).map { sum(of: losses.span, where: mask.span, in: sequences[$0]) }
        return aggregate(sums: sums, mask: mask, sequences: sequences)
    }

    /// - Parameter sums: [B], the sum of each sequence's token losses where the mask is 1.
    func aggregate(sums: [Double], mask: [UInt8], sequences: Sequences) -> AggregatedLoss {
        precondition(sums.count == sequences.count && mask.count == sequences.tokens)
        let divisors = Divisors(self, mask, sequences)
        var numerator = 0.0
        for sequence in 0..<sequences.count { numerator += sums[sequence] / divisors.sequences[sequence] }
        return AggregatedLoss(
            // An empty batch has loss 0, not 0/0.
            loss: divisors.whole > 0 ? numerator / divisors.whole : 0,
            numerator: numerator, denominator: divisors.whole, tokenWeights: divisors.tokenWeights)
    }

    /// Returns the weight of one selected token's loss, by sequence, [B]. It does not depend on the losses.
    package func tokenWeights(mask: [UInt8], sequences: Sequences) -> [Double] {
        precondition(mask.count == sequences.tokens)
        return Divisors(self, mask, sequences).tokenWeights
    }
}

/// The divisor of each sequence's sum, and the divisor of the sum over sequences.
private struct Divisors {
    let sequences: [Double]
    let whole: Double

    init(_ aggregation: Aggregation, _ mask: [UInt8], _ sequences: Sequences) {
        lazy var counts = (0..<sequences.count).map { Double(count(of: mask.span, in: sequences[$0])) }
        switch aggregation.mode {
        case .tokenMean:
            self.sequences = [Double](repeating: 1, count: sequences.count)
            whole = counts.reduce(0, +) + Aggregation.epsilon
        case .tokenSum:
            guard let denominator = aggregation.denominator else {
                preconditionFailure("token-sum needs a denominator")
            }
            self.sequences = [Double](repeating: 1, count: sequences.count)
            whole = denominator
        case .sequenceMeanTokenSum:
            self.sequences = [Double](repeating: 1, count: sequences.count)
            whole = Double(aggregation.globalBatchSize ?? sequences.count)
        case .sequenceMeanTokenMean:
            self.sequences = counts.map { $0 + Aggregation.epsilon }
            whole = Double(aggregation.globalBatchSize ?? sequences.count)
        case .sequenceMeanTokenSumNorm:
            // Sequences without tokens have nothing to divide.
            let length = aggregation.normLength ?? Double(max(1, sequences.longest))
            self.sequences = [Double](repeating: length, count: sequences.count)
            whole = Double(aggregation.globalBatchSize ?? sequences.count)
        }
    }

    var tokenWeights: [Double] { sequences.map { 1 / ($0 * whole) } }
}
