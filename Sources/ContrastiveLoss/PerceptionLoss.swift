package import Perception

/// The whole loss: which tokens, gated by what, which views how far apart, shaped, summed and capped how, with gradient to
/// which views. Every field is a request option.
package struct PerceptionLoss: Sendable, Equatable {
    package var detector: PerceptionDetector
    package var gate: Gate
    /// At most `Term.limit`; none is no perception loss.
    package var terms: [Term]
    package var estimator: Estimator
    package var clamps: Clamps
    package var shape: TokenShape
    package var aggregation: Aggregation
    /// The aggregate is clamped to ±cap; every gradient of the loss is 0 where it acts. Nil is no cap.
    package var cap: Double?
    /// What the objective multiplies the loss by.
    package var coefficient: Double
    /// What the objective multiplies each view's mean of −log-probability by; 0 is none.
    package var entropyCoefficients: PerView<Double>
    /// Views through which no gradient flows.
    package var stopGradient: Set<View>
    package var gradientOf: GradientTarget
    /// Multiplies the gradients only.
    package var gradientScale: Double
    /// How advantages are scaled by the responses' dependency on the image; nil for not at all.
    package var advantageScaling: AdvantageScaling?

    package init(
        detector: PerceptionDetector, gate: Gate, terms: [Term] = Term.contrastive, estimator: Estimator,
        clamps: Clamps, shape: TokenShape, aggregation: Aggregation = Aggregation(), cap: Double? = nil,
        coefficient: Double, entropyCoefficients: PerView<Double> = PerView(repeating: 0),
        stopGradient: Set<View> = [], gradientOf: GradientTarget = .loss, gradientScale: Double = 1,
        advantageScaling: AdvantageScaling? = nil
    ) {
        self.detector = detector
        self.gate = gate
        self.terms = terms
        self.estimator = estimator
        self.clamps = clamps
        self.shape = shape
        self.aggregation = aggregation
        self.cap = cap
        self.coefficient = coefficient
        self.entropyCoefficients = entropyCoefficients
        self.stopGradient = stopGradient
        self.gradientOf = gradientOf
        self.gradientScale = gradientScale
        self.advantageScaling = advantageScaling
    }
}

/// What gradients are of.
package enum GradientTarget: String, Sendable, CaseIterable {
    /// The loss as aggregated and capped, before its coefficient.
    case loss
    /// The sum of all components, each with its coefficient.
    case objective
}
