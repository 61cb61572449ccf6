import Perception

/// The published methods and their published definitions, which disagree; a preset only fills in options, all of which are
/// echoed.
package enum Preset: String, Sendable, CaseIterable {
    case cppoVerl = "cppo-verl"
    case cppoAReaL = "cppo-areal"
    case cppoPaper = "cppo-paper"
    case papoG = "papo-g"
    case papoD = "papo-d"
    case papoRecompute = "papo-recompute"
    case vppo
    case bipsConsistency = "bips-consistency"
    case bipsSeparation = "bips-separation"

    package static let standard = Preset.cppoVerl

    package var summary: String {
        switch self {
        case .cppoVerl:
            "CPPO's reference implementation on verl: relative score, top half by threshold, k3 with both of its clamps."
        case .cppoAReaL:
            "CPPO's reference implementation on AReaL: exact top half of each turn, clamped k1, whose anchor cancels."
        case .cppoPaper:
            "CPPO as the paper's text has it: absolute score, exact top half, KL divergence over the whole vocabulary (needs logits)."
        case .papoG:
            "PAPO on GRPO: pushes the removing view away on every response token, and keeps both views' entropies down."
        case .papoD: "PAPO on DAPO: as papo-g, with smaller coefficients."
        case .papoRecompute:
            "PAPO whose removing view is computed anew with gradient: as papo-g, with gradient to both views."
        case .vppo:
            "VPPO: no loss of its own; selects the tokens that depend on the image most, and scales advantages by the responses' dependency."
        case .bipsConsistency:
            "BiPS, first stage: pulls the preserving view to the original on right answers, capped."
        case .bipsSeparation:
            "BiPS, second stage: pushes the original away from the removing view on every response token, capped."
        }
    }

    /// Where its definition and constants were read.
    package var source: String {
        switch self {
        case .cppoVerl, .cppoAReaL: "arXiv 2601.00501, vbdi/cppo"
        case .cppoPaper: "arXiv 2601.00501v1"
        case .papoG, .papoD, .papoRecompute: "arXiv 2507.06448, MikeWangWZHL/PAPO"
        case .vppo: "arXiv 2510.09285, huaixuheqing/VPPO-RL"
        case .bipsConsistency, .bipsSeparation: "arXiv 2512.22120, zss02/BiPS"
        }
    }

    /// The estimator's limits under this preset. They belong to the estimator: choosing another one under the same preset
    /// gets the limits that the same code base puts on that one.
    package func clamps(for estimator: Estimator) -> Clamps {
        switch (self, estimator) {
        case (.cppoAReaL, .k1), (.cppoAReaL, .k2), (.cppoAReaL, .k3): Clamps(result: 10)
        case (.cppoAReaL, _), (.cppoPaper, _): Clamps()
        case (_, .k3): Clamps(input: 20, result: 10)
        case (_, _): Clamps()
        }
    }

    package var loss: PerceptionLoss {
        switch self {
        case .cppoVerl: contrastive(.k3, .relative, .floor, .sequence, .all, coefficient: 0.01)
        case .cppoAReaL: contrastive(.k1, .relative, .ceil, .segment, .first, coefficient: 0.01)
        case .cppoPaper: contrastive(.fullKL, .absolute, .ceil, .sequence, .first, coefficient: 0.02)
        case .papoG: separation(coefficient: 0.02, entropy: 0.05, stopped: [.removing])
        case .papoD: separation(coefficient: 0.01, entropy: 0.03, stopped: [.removing])
        case .papoRecompute: separation(coefficient: 0.02, entropy: 0.05, stopped: [])
        case .vppo:
            everyToken(
                [], coefficient: 0, stopped: [.removing],
                detector: PerceptionDetector(
                    method: .divergence, topKRatio: 0.4, quota: .ceil, ties: .first),
                entropy: PerView(original: 0.06, preserving: 0, removing: 0), scaling: AdvantageScaling())
        case .bipsConsistency:
            everyToken(
                [Term(.original, .preserving, weight: 1)], coefficient: 0.01, stopped: [.preserving],
                gate: Gate(method: .reward), cap: 1)
        case .bipsSeparation:
            everyToken(
                [Term(.original, .removing, weight: -1)], coefficient: 0.02, stopped: [.removing],
                cap: 0.2)
        }
    }

    /// CPPO: the best tokens of better responses, InfoNCE of both divergences.
    private func contrastive(
        _ estimator: Estimator, _ score: PerceptionDetector.Score, _ quota: PerceptionDetector.Quota,
        _ scope: PerceptionDetector.Scope, _ ties: PerceptionDetector.Ties, coefficient: Double
    ) -> PerceptionLoss {
        PerceptionLoss(
            detector: PerceptionDetector(score: score, quota: quota, scope: scope, ties: ties), gate: Gate(),
            estimator: estimator, clamps: clamps(for: estimator), shape: TokenShape(form: .infonce, tau: 0.1),
            coefficient: coefficient)
    }

    /// PAPO: every response token away from the removing view.
    private func separation(coefficient: Double, entropy: Double, stopped: Set<View>) -> PerceptionLoss {
        everyToken(
            [Term(.original, .removing, weight: -1)], coefficient: coefficient, stopped: stopped,
            entropy: PerView(original: entropy, preserving: 0, removing: entropy))
    }

    /// Clamped k3, summed as it is over all response tokens.
    private func everyToken(
        _ terms: [Term], coefficient: Double, stopped: Set<View>,
        detector: PerceptionDetector = PerceptionDetector(method: .none), gate: Gate = Gate(method: .none),
        cap: Double? = nil, entropy: PerView<Double> = PerView(repeating: 0),
        scaling: AdvantageScaling? = nil
    ) -> PerceptionLoss {
        PerceptionLoss(
            detector: detector, gate: gate, terms: terms, estimator: .k3, clamps: clamps(for: .k3),
            shape: TokenShape(form: .margin), cap: cap, coefficient: coefficient,
            entropyCoefficients: entropy,
            stopGradient: stopped, advantageScaling: scaling)
    }
}
