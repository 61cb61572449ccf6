internal import Parallelism
internal import Batches

/// The losses of the tokens of a batch, or of a piece of it; 0 outside the response.
struct TokenLosses: Sendable {
    /// Before aggregation.
    var losses: [Double]
    /// ∂loss/∂(log-probability) · weight.
    var gradient: [Double]
    /// The number of tokens whose clipped branch is strictly larger.
    var clipped: Int
}

/// Fills the losses and the gradient of a piece. Both lists are as long as the piece and contain zeros before.
/// - Returns: the number of clipped tokens.
typealias PieceFilling =
    @Sendable (
        _ sequence: Int, _ tokens: Range<Int>, _ losses: inout MutableSpan<Double>,
        _ gradient: inout MutableSpan<Double>
    ) throws(PolicyLossError) -> Int

extension PolicyBatch {
    /// Fills the lists piece by piece over all cores.
    /// - Throws: the error of the first piece for which `fill` throws.
    func tokenLosses(_ fill: PieceFilling) throws(PolicyLossError) -> TokenLosses {
        let pieces = sequences.pieces(ofAtMost: PolicyBatch.piece)
        // An exponential and a few comparisons for each token.
        let parts = mapInParallel(pieces.count, operations: 50 * sequences.tokens) { index in
            filled(pieces[index], fill)
        }
        var whole = TokenLosses(losses: [], gradient: [], clipped: 0)
        whole.losses.reserveCapacity(sequences.tokens)
        whole.gradient.reserveCapacity(sequences.tokens)
        for part in parts {
            let part = try part.get()
            whole.losses += part.losses
            whole.gradient += part.gradient
            whole.clipped += part.clipped
        }
        return whole
    }

    private func filled(
        _ piece: (sequence: Int, tokens: Range<Int>), _ fill: PieceFilling
    ) -> Result<TokenLosses, PolicyLossError> {
        var losses = [Double](repeating: 0, count: piece.tokens.count)
        var gradient = losses
        var toLosses = losses.mutableSpan
        var toGradient = gradient.mutableSpan
        do {
            let clipped = try fill(piece.sequence, piece.tokens, &toLosses, &toGradient)
            return .success(TokenLosses(losses: losses, gradient: gradient, clipped: clipped))
        } catch {
            return .failure(error)
        }
    }
}
