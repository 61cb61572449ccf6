package import Batches

/// The results of scoring a batch, before they are narrowed to the reply's types. Lists are flat over N.
package struct LossReport: Sendable {
    package var selection: Selection
    /// Σ weight · D of each token, 0 outside the response. This list and the next two are empty without terms and if
    /// they are not wanted.
    package var contrast: [Double] = []
    package var isClamped: [Bool] = []
    package var tokenLoss: [Double] = []
    /// The token losses in the form that a reply sends; nil if they are not wanted.
    package var narrowTokenLoss: FloatList?
    /// [B]: sums over the tokens that carry loss; empty without terms.
    package var sums: [SequenceSums] = []
    /// The loss is capped. The numerator and the denominator are those before the cap.
    package var aggregated: AggregatedLoss
    package var isCapped = false
    package var entropyTerms: [EntropyTerm] = []
    /// The sum of coefficient · loss, the entropy terms with their coefficients, and the components that are computed
    /// elsewhere.
    package var objective: Double
    package var gradients: Gradients
    /// [N] of 0 and 1: the tokens that may have a gradient.
    package var carriers: [UInt8]

    package struct Gradients: Sendable {
        /// [N]: ∂/∂(log-probability of the realised token); nil for views without gradients.
        package var logProbabilities = PerView<FloatList?>(repeating: nil)
        /// [N]: ∂/∂D of each pair of views over the vocabulary; nil for estimators of the realised token.
        package var divergences: [PairValues]?

        package init() {}
    }
}

/// The lists of tokens that a report holds in addition to sums over them. By default, it holds all.
package struct ReportWishes: Sendable {
    package var contrast: Bool
    package var isClamped: Bool
    package var tokenLoss: TokenLoss
    /// The views whose gradients are computed, if they have any.
    package var gradients: Set<View>

    package enum TokenLoss: Sendable {
        case none, doubles
        /// Floats, or doubles for estimators over the vocabulary.
        case floats
    }

    package init(
        contrast: Bool = true, isClamped: Bool = true, tokenLoss: TokenLoss = .doubles,
        gradients: Set<View> = Set(View.allCases)
    ) {
        self.contrast = contrast
        self.isClamped = isClamped
        self.tokenLoss = tokenLoss
        self.gradients = gradients
    }
}

/// A component of the objective that is computed elsewhere. It adds to the value of the objective and to the gradient
/// of the original view.
package struct ObjectiveComponent: Sendable {
    /// The value, multiplied by its coefficient.
    package var value: Double
    /// [N]: ∂(value)/∂(log-probability under the original view), 0 outside the response.
    package var gradient: [Double]

    package init(value: Double, gradient: [Double]) {
        self.value = value
        self.gradient = gradient
    }
}
