import ContrastiveLoss
import TokenDistribution

extension PerceptionLoss {
    /// The contrast of all tokens, for whoever waits for it.
    func contrast(_ logits: PerView<VocabularyLogits>, responseMask: [UInt8]) -> [ContrastedRows?] {
        guard let contrasted = contrast(logits, responseMask: responseMask, while: { true }) else {
            preconditionFailure("work that is wanted is not ended")
        }
        return contrasted
    }
}
