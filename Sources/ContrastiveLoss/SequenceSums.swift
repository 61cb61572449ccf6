internal import CTokenLoss

/// Sums over the tokens of one sequence that carry loss.
package struct SequenceSums: Sendable, Equatable {
    package var contrast = 0.0
    package var loss = 0.0
    package var clamped = 0

    package init() {}

    /// Adds the sums of the sequence's next piece. Their lanes are added in a fixed order, so the bits do not depend on
    /// which thread computed them.
    mutating func add(_ piece: token_loss_sums) {
        contrast += unsafe unsafeBitCast(piece.contrast, to: SIMD8<Double>.self).sum()
        loss += unsafe unsafeBitCast(piece.loss, to: SIMD8<Double>.self).sum()
        clamped += piece.clamped
    }
}
