/// The clipped surrogate of PPO and related methods. The loss of a token is max(−A·ratio, −A·clip(ratio, 1 − low, 1 +
/// high)). With a dual clip, it is the minimum of that and −A·c where A < 0.
///
/// ratio = e^(log-ratio). At token level, the log-ratio is log-prob − old, clamped to ±20. At sequence level (GSPO,
/// arXiv 2507.18071), it is the mean of these differences over the response, clamped to at most 10. Each token's
/// gradient is then that of its own log-prob: the ratio's value is the sequence's, its slope the token's.
///
/// Slopes are those of torch: a clamp passes the gradient at its limit and not beyond, and where two branches tie, each
/// contributes half of its slope. Therefore a ratio at a clip bound, or between the bounds, has its whole slope. A loss
/// exactly at the dual clip has half of it.
/// Source: PPO 1707.06347, dual clip 1912.09729; verl `compute_policy_loss_vanilla`, `compute_policy_loss_gspo`.
package struct ClippedSurrogate: Sendable, Equatable {
    package enum ImportanceLevel: String, Sendable, CaseIterable {
        case token
        /// One ratio for each sequence: GSPO.
        case sequence
    }

    package enum Tokens: String, Sendable, CaseIterable {
        case response
        /// Tokens outside the perception mask have loss 0, but count in the divisor (VPPO, arXiv 2510.09285).
        case perception
    }

    /// At least 0. The ratio's bounds are 1 − low and 1 + high.
    package var clipLow: Double
    package var clipHigh: Double
    /// c > 1; nil for no dual clip.
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

    /// The loss of one token, and its slope with respect to the log-prob.
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
        // The derivative of the ratio with respect to the log-prob is the ratio.
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
