package import Batches

/// Everything that one scoring yields, before it is narrowed to the reply's types. Lists are flat over N.
package struct LossReport: Sendable {
    package var selection: Selection
    /// Σ weight · D of each token, 0 outside the response; empty without terms, as the next two, and where nobody
    /// wishes for it.
    package var contrast: [Double] = []
    package var isClamped: [Bool] = []
    package var tokenLoss: [Double] = []
    /// The same as a reply sends it, where that is wished for.
    package var narrowTokenLoss: FloatList?
    /// [B], over the tokens that carry loss; empty without terms.
    package var sums: [SequenceSums] = []
    /// `loss` is capped; numerator and denominator are those before the cap.
    package var aggregated: AggregatedLoss
    package var isCapped = false
    package var entropyTerms: [EntropyTerm] = []
    /// coefficient · loss, every entropy term with its coefficient, and the components that came from elsewhere.
    package var objective: Double
    package var gradients: Gradients
    /// The tokens that may have a gradient, [N] of 0 and 1.
    package var carriers: [UInt8]

    package struct Gradients: Sendable {
        /// ∂/∂(log-probability of the realised token), [N]; nil for views that have none.
        package var logProbabilities = PerView<FloatList?>(repeating: nil)
        /// ∂/∂D of each pair of views over the vocabulary, [N]; nil for estimators of the realised token.
        package var divergences: [PairValues]?

        package init() {}
    }
}

/// What a report holds of each token beside sums over them; by default all.
package struct ReportWishes: Sendable {
    package var contrast: Bool
    package var isClamped: Bool
    package var tokenLoss: TokenLoss
    /// Views whose gradients are made, of those that have one.
    package var gradients: Set<View>

    package enum TokenLoss: Sendable {
        case none, doubles
        /// Floats; doubles for estimators that look at the vocabulary.
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

/// A component of the objective that is computed elsewhere: what it adds to the value, and to the gradients of one view.
package struct ObjectiveComponent: Sendable {
    /// With its coefficient.
    package var value: Double
    /// [N], 0 outside the response: ∂(value)/∂(log-probability under the original view).
    package var gradient: [Double]

    package init(value: Double, gradient: [Double]) {
        self.value = value
        self.gradient = gradient
    }
}
