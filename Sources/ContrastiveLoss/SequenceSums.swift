internal import CTokenLoss

/// Sums over the tokens of one sequence that carry loss.
package struct SequenceSums: Sendable, Equatable {
    package var contrast = 0.0
    package var loss = 0.0
    package var clamped = 0

    package init() {}

    /// Adds those of the sequence's next piece. Their parts are joined in one order, so that the bits don't depend on
    /// who computed them.
    mutating func add(_ piece: token_loss_sums) {
        contrast += unsafe unsafeBitCast(piece.contrast, to: SIMD8<Double>.self).sum()
        loss += unsafe unsafeBitCast(piece.loss, to: SIMD8<Double>.self).sum()
        clamped += piece.clamped
    }
}
