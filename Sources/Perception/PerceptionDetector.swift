/// Finds the tokens of a response that depend on the image.
///
/// In each scope, the k of n candidates with the highest scores are perception tokens. No gradient flows here. Source:
/// arXiv 2601.00501 §3 (entropy), arXiv 2510.09285 (divergence); the options span the papers' texts and their published
/// implementations.
package struct PerceptionDetector: Sendable, Equatable {
    package enum Method: String, Sendable, CaseIterable {
        /// The rise of the entropy when the image loses its information: ΔH = H_removing − H_original (nats).
        /// Candidates are response tokens with ΔH > `minimumDeltaEntropy`.
        case entropy
        /// The divergence between the original view's distribution and the removing view's. `candidates` determines the
        /// candidates.
        case divergence
        /// The mask is an input.
        case given
        /// Every response token is a perception token: the ablation "CPL on all tokens".
        case none

        /// Whether candidates are ranked, so that quota, scope and ties matter.
        package var ranks: Bool {
            switch self {
            case .entropy, .divergence: true
            case .given, .none: false
            }
        }
    }

    /// The response tokens that a divergence may choose.
    package enum Candidates: String, Sendable, CaseIterable {
        case all
        /// Tokens whose log-probability falls when the image loses its information.
        case rising
    }

    package enum Score: String, Sendable, CaseIterable {
        /// relu(ΔH) / (H_removing + ε)
        case relative
        /// relu(ΔH)
        case absolute
    }

    package enum Quota: String, Sendable, CaseIterable {
        /// k = max(1, ⌊n·p⌋)
        case floor
        /// k = ⌈n·p⌉
        case ceil
    }

    package enum Scope: String, Sendable, CaseIterable {
        /// One quota for each sequence.
        case sequence
        /// One quota for each maximal run of response tokens: a turn.
        case segment
    }

    package enum Ties: String, Sendable, CaseIterable {
        /// Every candidate that scores as high as the k-th is kept.
        case all
        /// Exactly k are kept. Among equal scores the lowest index wins.
        case first
    }

    package var method: Method
    package var score: Score
    package var epsilon: Double
    package var minimumDeltaEntropy: Double
    package var candidates: Candidates
    /// p in (0, 1].
    package var topKRatio: Double
    package var quota: Quota
    package var scope: Scope
    package var ties: Ties

    package init(
        method: Method = .entropy, score: Score = .relative, epsilon: Double = 1e-6,
        minimumDeltaEntropy: Double = 0, candidates: Candidates = .all,
        topKRatio: Double = 0.5, quota: Quota = .floor, scope: Scope = .sequence, ties: Ties = .all
    ) {
        self.method = method
        self.score = score
        self.epsilon = epsilon
        self.minimumDeltaEntropy = minimumDeltaEntropy
        self.candidates = candidates
        self.topKRatio = topKRatio
        self.quota = quota
        self.scope = scope
        self.ties = ties
    }

    /// Returns k for n candidates; 0 for 0.
    ///
    /// Each quota rounds like the implementation from which it comes. `floor` follows tensor arithmetic in Float32 (n·p
    /// of Float32 factors, rounded once), so 0.29 of 100 is 29 and not ⌊28.999999999999996⌋. `ceil` follows Double
    /// arithmetic.
    package func keep(of candidates: Int) -> Int {
        guard candidates > 0 else { return 0 }
        switch quota {
        case .floor:
            return min(candidates, max(1, Int((Float(candidates) * Float(topKRatio)).rounded(.down))))
        case .ceil: return min(candidates, Int((Double(candidates) * topKRatio).rounded(.up)))
        }
    }
}
