/// The surrogate of PPO and its kin: a token loses max(−A·ratio, −A·clip(ratio, 1 − low, 1 + high)), with a dual clip
/// min(that, −A·c) where A < 0.
///
/// ratio = e^(log-ratio). At token level the log-ratio is log-prob − old, clamped to ±20. At sequence level (GSPO,
/// arXiv 2507.18071) it is the mean of those differences over the response, clamped to at most 10, and each token's
/// gradient is that of its own log-prob: the ratio's value is the sequence's, its slope the token's.
///
/// Slopes are torch's: a clamp passes on its limit and not beyond; where two branches tie, each gives half of its slope.
/// A ratio on a clip bound or between them so has its whole slope, and a loss exactly at the dual clip has half of it.
/// Source: PPO 1707.06347, dual clip 1912.09729; verl `compute_policy_loss_vanilla`, `compute_policy_loss_gspo`.
package struct ClippedSurrogate: Sendable, Equatable {
    package enum ImportanceLevel: String, Sendable, CaseIterable {
        case token
        /// One ratio for each sequence: GSPO.
        case sequence
    }

    package enum Tokens: String, Sendable, CaseIterable {
        case response
        /// Tokens outside the perception mask lose 0 and count in the divisor all the same (VPPO, arXiv 2510.09285).
        case perception
    }

    /// At least 0; the ratio's bounds are 1 − low and 1 + high.
    package var clipLow: Double
    package var clipHigh: Double
    /// c > 1; nil is no dual clip.
    package var dualClip: Double?
    package var level: ImportanceLevel
    package var tokens: Tokens

    package init(
        clipLow: Double = 0.2, clipHigh: Double = 0.2, dualClip: Double? = nil,
        level: ImportanceLevel = .token, tokens: Tokens = .response
    ) {
        self.clipLow = clipLow
        self.clipHigh = clipHigh
        self.dualClip = dualClip
        self.level = level
        self.tokens = tokens
    }

    /// What one token loses, and the slope for its log-prob.
    struct Outcome {
        var loss: Double
        var slope: Double
        var isClipped: Bool
    }

    @inline(__always)
    func outcome(_ ratio: ImportanceRatio, advantage: Double) -> Outcome {
        let (low, high) = (1 - clipLow, 1 + clipHigh)
        let value = ratio.value
        let bounded = value < low ? low : value > high ? high : value
        let free = -advantage * value
        let clipped = -advantage * bounded
        // The ratio's slope for the log-prob is the ratio.
        let slope = ratio.passes ? free : 0
        let clippedSlope = bounded == value ? slope : 0
        var outcome = Outcome(
            loss: clipped > free ? clipped : free,
            slope: free > clipped ? slope : clipped > free ? clippedSlope : slope / 2 + clippedSlope / 2,
            isClipped: clipped > free)
        if let dualClip, advantage < 0 {
            let limit = -advantage * dualClip
            if limit < outcome.loss {
                outcome.loss = limit
                outcome.slope = 0
            } else if limit == outcome.loss {
                outcome.slope /= 2
            }
        }
        return outcome
    }
}
