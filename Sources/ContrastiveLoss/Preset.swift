import Perception

/// The published definitions of the method, which disagree; a preset only fills in options, all of which are echoed.
package enum Preset: String, Sendable, CaseIterable {
    /// The reference code on verl.
    case cppoVerl = "cppo-verl"
    /// The reference code on AReaL.
    case cppoAReaL = "cppo-areal"
    /// The paper's text, arXiv 2601.00501.
    case cppoPaper = "cppo-paper"

    package static let standard = Preset.cppoVerl

    package var summary: String {
        switch self {
        case .cppoVerl:
            "The reference implementation on verl: relative score, top half by threshold, k3 with both of its clamps."
        case .cppoAReaL:
            "The reference implementation on AReaL: exact top half of each turn, clamped k1, whose anchor cancels."
        case .cppoPaper:
            "The paper's text: absolute score, exact top half, KL divergence over the whole vocabulary (needs logits)."
        }
    }

    /// The estimator's limits under this preset. They belong to the estimator: choosing another one under the same preset
    /// gets the limits that the same code base puts on that one.
    package func clamps(for estimator: Estimator) -> Clamps {
        switch (self, estimator) {
        case (.cppoVerl, .k3): Clamps(input: 20, result: 10)
        case (.cppoAReaL, .k1), (.cppoAReaL, .k2), (.cppoAReaL, .k3): Clamps(result: 10)
        case (.cppoVerl, _), (.cppoAReaL, _), (.cppoPaper, _): Clamps()
        }
    }

    package var loss: PerceptionLoss {
        let estimator: Estimator
        let detector: PerceptionDetector
        let coefficient: Double
        switch self {
        case .cppoVerl:
            estimator = .k3
            detector = PerceptionDetector(score: .relative, quota: .floor, scope: .sequence, ties: .all)
            coefficient = 0.01
        case .cppoAReaL:
            estimator = .k1
            detector = PerceptionDetector(score: .relative, quota: .ceil, scope: .segment, ties: .first)
            coefficient = 0.01
        case .cppoPaper:
            estimator = .fullKL
            detector = PerceptionDetector(score: .absolute, quota: .ceil, scope: .sequence, ties: .first)
            coefficient = 0.02
        }
        return PerceptionLoss(
            detector: detector, gate: AdvantageGate(), estimator: estimator, clamps: clamps(for: estimator),
            term: ContrastiveTerm(form: .infonce, tau: 0.1), aggregation: Aggregation(),
            coefficient: coefficient)
    }
}
