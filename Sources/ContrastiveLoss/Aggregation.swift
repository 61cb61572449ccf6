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
    /// The length of `seq-mean-token-sum-norm`; nil takes T (the longest sequence where sequences differ).
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

/// loss = numerator / denominator, and ∂loss/∂c for the tokens of each sequence.
package struct AggregatedLoss: Sendable, Equatable {
    package var loss: Double
    package var numerator: Double
    package var denominator: Double
    /// [B]: what one selected token's loss weighs, by sequence.
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
    /// - Complexity: O(N). Each sequence's sum has its own fixed order, so the result doesn't depend on threads.
    package func aggregate(losses: [Double], mask: [UInt8], sequences: Sequences) -> AggregatedLoss {
        precondition(losses.count == sequences.tokens && mask.count == sequences.tokens)
        let sums = (0..<sequences.count).map { sum(of: losses.span, where: mask.span, in: sequences[$0]) }
        return aggregate(sums: sums, mask: mask, sequences: sequences)
    }

    /// - Parameter sums: [B], of each sequence's token losses where the mask is 1.
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

    /// [B]: what one selected token's loss weighs, by sequence, whatever it is.
    package func tokenWeights(mask: [UInt8], sequences: Sequences) -> [Double] {
        precondition(mask.count == sequences.tokens)
        return Divisors(self, mask, sequences).tokenWeights
    }
}

/// What the sum of each sequence, and then the sum over sequences, is divided by.
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
