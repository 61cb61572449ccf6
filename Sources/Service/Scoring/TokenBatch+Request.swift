import ContrastiveLoss

extension TokenBatch {
    /// Creates a batch with the inputs of the selection, except those that are computed from logits.
    init(_ tensors: TokenTensors, _ merits: Merits) {
        self.init(
            sequences: tensors.layout.sequences, responseMask: tensors.responseMask,
            viewedMask: tensors.withoutViews == nil ? nil : tensors.viewedMask)
        advantages = merits.advantages
        rewards = merits.rewards
    }
}
