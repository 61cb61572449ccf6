import ContrastiveLoss

/// The tensors that a reply can contain; the words of `return`.
enum ScoreOutput: String, Sendable, CaseIterable {
    case perceptionMask = "perception_mask"
    case gate
    case mask
    case deltaEntropy = "delta_entropy"
    case perceptionScore = "perception_score"
    case originalEntropyLower = "original.entropy_lower"
    case originalEntropyUpper = "original.entropy_upper"
    case removingEntropyLower = "removing.entropy_lower"
    case removingEntropyUpper = "removing.entropy_upper"
    case tokenLoss = "token_loss"
    case advantageScale = "advantage_scale"
    case gradientOriginalLogProbs = "grad.original.log_probs"
    case gradientPreservingLogProbs = "grad.preserving.log_probs"
    case gradientRemovingLogProbs = "grad.removing.log_probs"
    case gradientRows = "grad.rows"
    case gradientOriginalLogits = "grad.original.logits"
    case gradientPreservingLogits = "grad.preserving.logits"
    case gradientRemovingLogits = "grad.removing.logits"
    case tokenReward = "token_reward"
    case weightsOriginal = "weights.original"
    case weightsPreserving = "weights.preserving"
    case weightsRemoving = "weights.removing"

    static let selection: Set<ScoreOutput> = [.perceptionMask, .gate, .mask]
    static let bounds: Set<ScoreOutput> = [
        .originalEntropyLower, .originalEntropyUpper, .removingEntropyLower, .removingEntropyUpper,
    ]
    static let gradients = allCases.filter { $0.rawValue.hasPrefix("grad.") }
    static let weights = allCases.filter { $0.rawValue.hasPrefix("weights.") }
    /// Words that stand for several.
    static let groups = ["grad": gradients, "weights": weights]

    static func gradient(of view: View, logits: Bool) -> ScoreOutput {
        switch view {
        case .original: logits ? .gradientOriginalLogits : .gradientOriginalLogProbs
        case .preserving: logits ? .gradientPreservingLogits : .gradientPreservingLogProbs
        case .removing: logits ? .gradientRemovingLogits : .gradientRemovingLogProbs
        }
    }

    /// Nil for `preserving`, because its entropy is never compared.
    static func lowerBound(of view: View) -> ScoreOutput? {
        switch view {
        case .original: .originalEntropyLower
        case .removing: .removingEntropyLower
        case .preserving: nil
        }
    }

    static func upperBound(of view: View) -> ScoreOutput? {
        switch view {
        case .original: .originalEntropyUpper
        case .removing: .removingEntropyUpper
        case .preserving: nil
        }
    }

    static func weights(of view: View) -> ScoreOutput {
        switch view {
        case .original: .weightsOriginal
        case .preserving: .weightsPreserving
        case .removing: .weightsRemoving
        }
    }
}
