import TokenDistribution

/// ∂loss/∂logits for the tokens that carry loss, z before the division by temperature. Each row is computed when it is
/// asked for and written where it is wanted, so that no [S,V] array is ever held here.
package struct LogitGradients: Sendable {
    /// [S]: flat indices of the tokens that carry loss, ascending.
    package let rows: [Int]
    /// V
    package let vocabulary: Int
    /// Nil for a view whose logits were not given.
    let logits: PerView<VocabularyLogits?>
    let slopes: Slopes
    let stopped: Set<View>

    /// What the loss of each of `rows` depends on, and by how much, [S] each.
    enum Slopes: Sendable {
        /// ∂loss/∂D(a‖p) and ∂loss/∂D(a‖n).
        case divergences(Divergence, [ViewDivergences])
        /// The realised tokens, and ∂loss/∂(log-probability) for each view.
        case tokens([Int], PerView<[Double]>)
    }

    /// Writes the gradients of token `rows[index]` for the three views, [V] each.
    ///
    /// A span of no elements is not written; any other has V. Views whose gradient is stopped get zeros; a view whose
    /// logits were not given must not be asked for. Rows may be filled in any order and by any number of threads.
    /// - Returns: whether everything written is finite: the largest slopes don't fit Float.
    /// - Complexity: O(V)
    package func fill(
        _ index: Int, original: inout MutableSpan<Float>, preserving: inout MutableSpan<Float>,
        removing: inout MutableSpan<Float>
    ) -> Bool {
        var unwanted = MutableSpan<Float>()
        if stopped.contains(.original), original.count > 0 {
            clear(&original)
            return fill(index, original: &unwanted, preserving: &preserving, removing: &removing)
        }
        if stopped.contains(.preserving), preserving.count > 0 {
            clear(&preserving)
            return fill(index, original: &original, preserving: &unwanted, removing: &removing)
        }
        if stopped.contains(.removing), removing.count > 0 {
            clear(&removing)
            return fill(index, original: &original, preserving: &preserving, removing: &unwanted)
        }
        if original.count + preserving.count + removing.count == 0 { return true }
        let row = rows[index]
        switch slopes {
        case .divergences(let divergence, let slopes):
            guard let a = logits.original, let p = logits.preserving, let n = logits.removing else {
                preconditionFailure("a divergence needs the logits of every view")
            }
            let contrast = RowContrast(divergence, temperature: a.temperature)
            return contrast.writeGradients(
                row, original: a, preserving: p, removing: n, slopes: slopes[index], toOriginal: &original,
                toPreserving: &preserving, toRemoving: &removing)
        case .tokens(let tokens, let slopes):
            func write(_ view: View, _ output: inout MutableSpan<Float>) -> Bool {
                if output.count == 0 { return true }
                guard let logits = logits[view] else {
                    preconditionFailure("no logits of the \(view.rawValue) view were given")
                }
                return logits.writeTokenGradient(
                    row, token: tokens[index], slope: slopes[view][index], into: &output)
            }
            let original = write(.original, &original)
            let preserving = write(.preserving, &preserving)
            let removing = write(.removing, &removing)
            return original && preserving && removing
        }
    }
}

private func clear(_ output: inout MutableSpan<Float>) {
    for index in 0..<output.count { output[index] = 0 }
}
