import ContrastiveLoss

extension TokenBatch {
    /// What selects tokens, but for what is computed from logits.
    init(_ tensors: TokenTensors, _ merits: Merits) {
        self.init(
            sequences: tensors.layout.sequences, responseMask: tensors.responseMask,
            viewedMask: tensors.withoutViews == nil ? nil : tensors.viewedMask)
        advantages = merits.advantages
        rewards = merits.rewards
    }
}
