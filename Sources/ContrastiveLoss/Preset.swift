import Perception

/// The published methods. Publications of one method disagree, so each variant is a preset. A preset only sets options,
/// and a reply echoes all options.
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
            "CPPO's reference implementation on AReaL: exact top half of each turn, clamped k1, in which the anchor cancels."
        case .cppoPaper:
            "CPPO as described in the paper: absolute score, exact top half, KL divergence over the whole vocabulary (needs logits)."
        case .papoG:
            "PAPO on GRPO: pushes the removing view away on every response token, and keeps the entropies of both views low."
        case .papoD: "PAPO on DAPO: as papo-g, with smaller coefficients."
        case .papoRecompute:
            "PAPO with a recomputed removing view: as papo-g, with gradients to both views."
        case .vppo:
            "VPPO: no perception loss; selects the tokens that depend most on the image, and scales advantages by the responses' dependency."
        case .bipsConsistency:
            "BiPS, first stage: pulls the preserving view towards the original on correct answers, capped."
        case .bipsSeparation:
            "BiPS, second stage: pushes the original away from the removing view on every response token, capped."
        }
    }

    /// The source of the definition and its constants.
    package var source: String {
        switch self {
        case .cppoVerl, .cppoAReaL: "arXiv 2601.00501, vbdi/cppo"
        case .cppoPaper: "arXiv 2601.00501v1"
        case .papoG, .papoD, .papoRecompute: "arXiv 2507.06448, MikeWangWZHL/PAPO"
        case .vppo: "arXiv 2510.09285, huaixuheqing/VPPO-RL"
        case .bipsConsistency, .bipsSeparation: "arXiv 2512.22120, zss02/BiPS"
        }
    }

    /// Returns the limits of an estimator under this preset. Limits belong to estimators: another estimator under the
    /// same preset has the limits that the same code base puts on it.
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

    /// CPPO: InfoNCE of both divergences, for the highest-scoring tokens of responses that did well.
    private func contrastive(
        _ estimator: Estimator, _ score: PerceptionDetector.Score, _ quota: PerceptionDetector.Quota,
        _ scope: PerceptionDetector.Scope, _ ties: PerceptionDetector.Ties, coefficient: Double
    ) -> PerceptionLoss {
        PerceptionLoss(
            detector: PerceptionDetector(score: score, quota: quota, scope: scope, ties: ties), gate: Gate(),
            estimator: estimator, clamps: clamps(for: estimator), shape: TokenShape(form: .infonce, tau: 0.1),
            coefficient: coefficient)
    }

    /// PAPO: pushes every response token away from the removing view.
    private func separation(coefficient: Double, entropy: Double, stopped: Set<View>) -> PerceptionLoss {
        everyToken(
            [Term(.original, .removing, weight: -1)], coefficient: coefficient, stopped: stopped,
            entropy: PerView(original: entropy, preserving: 0, removing: entropy))
    }

    /// Clamped k3 over all response tokens; the loss is the sum of terms itself.
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
