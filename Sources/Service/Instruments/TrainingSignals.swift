import ContrastiveLoss
import Observability

/// What people watch while a model trains, summed over one batch: counts and sums, never means, so that averages over
/// micro-batches of different size come out right.
struct TrainingSignals: Sendable, Equatable {
    let preset: String
    let diagnostics: Diagnostics
    /// Σ of loss numerators and denominators; nil where no loss was asked for.
    let loss: Loss?

    struct Loss: Sendable, Equatable {
        let numerator: Double
        let denominator: Double
    }

    init(preset: String, diagnostics: Diagnostics, loss: AggregatedLoss?) {
        self.preset = preset
        self.diagnostics = diagnostics
        self.loss = loss.map { Loss(numerator: $0.numerator, denominator: $0.denominator) }
    }

    func add(to registry: MetricRegistry, run: String) {
        func add(_ amount: Double, _ family: MetricFamily) {
            registry.series(of: family, [preset, run]).add(amount)
        }
        func addSigned(_ amount: Double, _ family: MetricFamily) {
            // Both from the start: a difference with a series that is missing has no value.
            registry.series(of: family, [preset, run, "positive"]).add(max(amount, 0))
            registry.series(of: family, [preset, run, "negative"]).add(max(-amount, 0))
        }
        add(Double(diagnostics.tokens), Metrics.responseTokens)
        add(Double(diagnostics.candidates), Metrics.candidateTokens)
        add(Double(diagnostics.selected), Metrics.selectedTokens)
        add(Double(diagnostics.gated), Metrics.gatedTokens)
        if diagnostics.detects {
            add(Double(diagnostics.tokens), Metrics.comparedTokens)
            addSigned(diagnostics.deltaSum, Metrics.deltaEntropy)
        }
        guard let loss else { return }
        add(Double(diagnostics.gated), Metrics.lossTokens)
        add(Double(diagnostics.clamped), Metrics.clampedTokens)
        addSigned(diagnostics.marginSum, Metrics.margin)
        addSigned(loss.numerator, Metrics.lossNumerator)
        add(loss.denominator, Metrics.lossDenominator)
    }
}
