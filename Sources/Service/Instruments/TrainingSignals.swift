import Advantages
import ContrastiveLoss
import Observability
import PolicyObjective

/// The signals to watch while a model trains, summed over one batch. They are counts and sums, not means, so averages
/// over micro-batches of different sizes are exact.
struct TrainingSignals: Sendable, Equatable {
    let preset: String
    let diagnostics: Diagnostics
    /// Nil if no loss was requested.
    let loss: Loss?
    /// Groups of rewards; nil if the advantages were not computed from rewards.
    let groups: GroupedAdvantages?
    let policy: Policy?
    let residues: Residues

    struct Loss: Sendable, Equatable {
        let numerator: Double
        let denominator: Double
        let objective: Double
        let isCapped: Bool
    }

    /// Sums of the components of the policy loss.
    struct Policy: Sendable, Equatable {
        let loss: Loss?
        let kl: Loss?
        let clipped: Double

        struct Loss: Sendable, Equatable {
            let numerator: Double
            let denominator: Double

            init(_ part: PolicyReport.Component) {
                numerator = part.aggregated.numerator
                denominator = part.aggregated.denominator
            }
        }
    }

    init(preset: String, diagnostics: Diagnostics, _ source: Diagnostics.Source) {
        self.preset = preset
        self.diagnostics = diagnostics
        loss = source.report.map {
            Loss(
                numerator: $0.aggregated.numerator, denominator: $0.aggregated.denominator,
                objective: $0.objective, isCapped: $0.isCapped)
        }
        groups = source.groups
        let tokens = Double(diagnostics.tokens)
        policy = source.policy.map {
            Policy(
                loss: $0.policy.map(Policy.Loss.init), kl: $0.kl.map(Policy.Loss.init),
                clipped: ($0.clipFraction ?? 0) * tokens)
        }
        residues = source.residues
    }

    func add(to registry: MetricRegistry, run: String) {
        func add(_ amount: Double, _ family: MetricFamily) {
            registry.series(of: family, [preset, run]).add(amount)
        }
        func addSigned(_ amount: Double, _ family: MetricFamily) {
            // Both series exist from the start, because a difference with a missing series has no value.
            registry.series(of: family, [preset, run, "positive"]).add(max(amount, 0))
            registry.series(of: family, [preset, run, "negative"]).add(max(-amount, 0))
        }
        add(Double(diagnostics.tokens), Metrics.responseTokens)
        add(Double(diagnostics.candidates), Metrics.candidateTokens)
        add(Double(diagnostics.selected), Metrics.selectedTokens)
        add(Double(diagnostics.gated), Metrics.gatedTokens)
        if diagnostics.comparesEntropies {
            add(Double(diagnostics.tokens), Metrics.comparedTokens)
            addSigned(diagnostics.deltaSum, Metrics.deltaEntropy)
        }
        if let groups {
            add(Double(groups.groups), Metrics.rewardGroups)
            add(Double(groups.withoutSpread), Metrics.groupsWithoutSpread)
        }
        add(Double(residues.negativeEntropies), Metrics.negativeEntropies)
        add(Double(residues.positiveLogProbabilities), Metrics.positiveLogProbabilities)
        if let part = policy?.loss {
            addSigned(part.numerator, Metrics.policyLossNumerator)
            add(part.denominator, Metrics.policyLossDenominator)
            add(Double(diagnostics.tokens), Metrics.policyTokens)
            add(policy?.clipped ?? 0, Metrics.clippedRatios)
        }
        if let part = policy?.kl {
            addSigned(part.numerator, Metrics.klNumerator)
            add(part.denominator, Metrics.klDenominator)
        }
        guard let loss else { return }
        add(1, Metrics.losses)
        add(loss.isCapped ? 1 : 0, Metrics.cappedLosses)
        addSigned(loss.objective, Metrics.objective)
        add(Double(diagnostics.gated), Metrics.lossTokens)
        add(Double(diagnostics.clamped), Metrics.clampedTokens)
        addSigned(diagnostics.contrastSum, Metrics.contrast)
        addSigned(loss.numerator, Metrics.lossNumerator)
        add(loss.denominator, Metrics.lossDenominator)
    }
}
