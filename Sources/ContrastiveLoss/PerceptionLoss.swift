package import Perception

/// The perception loss: which tokens count, how far the views are apart, how this becomes a number, and to which views
/// gradients flow. Every field is a request option.
package struct PerceptionLoss: Sendable, Equatable {
    package var detector: PerceptionDetector
    package var gate: Gate
    /// At most `Term.limit` terms. Without terms, there is no perception loss.
    package var terms: [Term]
    package var estimator: Estimator
    package var clamps: Clamps
    package var shape: TokenShape
    package var aggregation: Aggregation
    /// The aggregated loss is clamped to ±cap; nil for no cap. Where the cap is active, every gradient of the loss is
    /// 0.
    package var cap: Double?
    /// The factor of the loss in the objective.
    package var coefficient: Double
    /// The factor of each view's mean of −log-probability in the objective; 0 for none.
    package var entropyCoefficients: PerView<Double>
    /// The views to which no gradient flows.
    package var stopGradient: Set<View>
    package var gradientOf: GradientTarget
    /// A factor of the gradients only.
    package var gradientScale: Double
    /// The scaling of advantages by the responses' dependency on the image; nil for none.
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

/// The value that is differentiated.
package enum GradientTarget: String, Sendable, CaseIterable {
    /// The loss, aggregated and capped, before its coefficient.
    case loss
    /// The sum of all components, each with its coefficient.
    case objective
}
