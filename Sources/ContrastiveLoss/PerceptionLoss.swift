package import Perception
package import TokenDistribution

/// The whole loss: which tokens, gated by what, how contrasted, how summed. Every field is a request option.
package struct PerceptionLoss: Sendable, Equatable {
    package var detector: PerceptionDetector
    package var gate: AdvantageGate
    package var estimator: Estimator
    package var clamps: Clamps
    package var term: ContrastiveTerm
    package var aggregation: Aggregation
    /// What the trainer multiplies the loss by; `weighted_loss` has it, gradients don't.
    package var coefficient: Double
    /// Views through which no gradient flows.
    package var stopGradient: Set<View>
    /// Multiplies the gradients only.
    package var gradientScale: Double

    package init(
        detector: PerceptionDetector, gate: AdvantageGate, estimator: Estimator, clamps: Clamps,
        term: ContrastiveTerm, aggregation: Aggregation, coefficient: Double, stopGradient: Set<View> = [],
        gradientScale: Double = 1
    ) {
        self.detector = detector
        self.gate = gate
        self.estimator = estimator
        self.clamps = clamps
        self.term = term
        self.aggregation = aggregation
        self.coefficient = coefficient
        self.stopGradient = stopGradient
        self.gradientScale = gradientScale
    }
}

/// A batch as the loss sees it: N tokens in B rows, all numbers finite, checked by whoever built it.
package struct TokenBatch: Sendable {
    package var rows: Rows
    /// [N] of 0 and 1.
    package var responseMask: [UInt8]
    /// [N]; nil only when the gate is off.
    package var advantages: [Double]?
    /// [N] in nats; nil for both only when the detector is off.
    package var originalEntropy: [Double]?
    package var removingEntropy: [Double]?

    package init(
        rows: Rows, responseMask: [UInt8], advantages: [Double]?, originalEntropy: [Double]?,
        removingEntropy: [Double]?
    ) {
        self.rows = rows
        self.responseMask = responseMask
        self.advantages = advantages
        self.originalEntropy = originalEntropy
        self.removingEntropy = removingEntropy
    }
}

/// Everything that one scoring yields, before it is narrowed to the reply's types. Lists are flat over N.
package struct LossReport: Sendable {
    package var detection: Detection
    package var gate: [UInt8]
    /// perception ∧ gate: the tokens that carry loss.
    package var mask: [UInt8]
    package var margin: [Double]
    package var isClamped: [Bool]
    package var tokenLoss: [Double]
    package var aggregated: AggregatedLoss
    package var gradient: Gradient

    package enum Gradient: Sendable {
        /// ∂loss/∂(log-probability of the realised token), [N] for each view.
        case logProbabilities(PerView<[Float]>)
        /// ∂loss/∂D(a‖p) and ∂loss/∂D(a‖n), [N]; 0 for tokens that carry no loss. Stopped views are those of the logits.
        case divergences([ViewDivergences])
        /// ∂loss/∂logits of the tokens that carry loss, computed row by row as they are wanted.
        case logits(LogitGradients)
    }
}
