import Batches
import Tensor
package import TokenDistribution

/// ∂/∂logits for the tokens that carry a gradient, with respect to z before the division by temperature. Each row is
/// computed on request and written to its destination, so that no [S,V] array is held here.
package struct LogitGradients: Sendable {
    /// [S]: the flat indices of the tokens that carry a gradient, ascending.
    package let rows: [Int]
    /// V
    package let vocabulary: Int
    /// Nil for views without logits.
    private let logits: PerView<VocabularyLogits?>
    private let contrast: VocabularyContrast?
    /// [S]: ∂/∂D of each pair of views; empty without a contrast.
    private let pairSlopes: [PairValues]
    /// [S]: ∂/∂(log-probability of the realised token), for views whose log-probabilities were computed from their
    /// logits.
    private let tokenSlopes: PerView<[Double]?>
    /// [S]: the realised tokens; empty without slopes of tokens.
    private let tokens: [Int]
    private let stopped: Set<View>

    /// - Parameters:
    ///   - report: the gradients to propagate. By the chain rule, ∂/∂z = ∂/∂(log-probability) · (1[v = y] −
    ///     softmax(z/T)[v]) / T, plus the gradients of the divergences.
    ///   - tokenIDs: y, [N], below V where the report's carriers are 1. Nil if no realised token counts.
    ///   - logits: nil for views without logits. At least one view has logits.
    ///   - tokenViews: views whose log-probabilities were computed from their logits.
    ///   - contrast: the contrast that computed the divergences; nil for estimates from the realised token.
    /// - Complexity: O(N)
    package init?(
        _ report: LossReport, tokenIDs: [Int]?, logits: PerView<VocabularyLogits?>, tokenViews: Set<View>,
        contrast: VocabularyContrast?, stopped: Set<View>
    ) {
        guard let vocabulary = View.allCases.lazy.compactMap({ logits[$0]?.vocabulary }).first else {
            return nil
        }
        self.vocabulary = vocabulary
        let rows = report.carriers.indices.filter { report.carriers[$0] == 1 }
        self.rows = rows
        self.logits = logits
        self.contrast = contrast
        self.stopped = stopped
        pairSlopes =
            contrast == nil
            ? [] : report.gradients.divergences.map { slopes in rows.map { slopes[$0] } } ?? []
        tokenSlopes = PerView { view in
            guard tokenViews.contains(view) else { return nil }
            return report.gradients.logProbabilities[view].map { slopes in rows.map { Double(slopes[$0]) } }
        }
        let slopes = tokenSlopes
        tokens =
            View.allCases.allSatisfy { slopes[$0] == nil }
            ? [] : tokenIDs.map { ids in rows.map { ids[$0] } } ?? []
    }

    /// Returns whether a view's logits take part in what is differentiated.
    package func covers(_ view: View) -> Bool {
        logits[view] != nil && (contrast?.views.contains(view) == true || tokenSlopes[view] != nil)
    }

    /// The views whose gradients are sums of several parts. Such a row is computed in Float and then rounded to a
    /// narrower type, so that it is rounded only once.
    package var summedViews: [View] {
        View.allCases.filter { view in
            guard !stopped.contains(view) else { return false }
            return (contrast?.parts(of: view) ?? 0) + (tokenSlopes[view] == nil ? 0 : 1) > 1
        }
    }

    /// Writes the gradients of token `rows[index]`.
    ///
    /// Each output holds V elements, or none for a view that is not wanted. A stopped view gets zeros. A view without
    /// logits must not be wanted. Rows may be filled in any order and by any number of threads.
    /// - Returns: whether all written values are finite. The largest slopes do not fit the types of the outputs.
    /// - Complexity: O(V) time. Sums in rows of a narrower type than Float also take O(V) memory.
    package func fill(_ index: Int, _ outputs: PerView<RowOutput>) -> Bool {
        let summed = summedViews.filter { outputs[$0].isWanted && outputs[$0].type != .float32 }
        if summed.isEmpty { return write(index, outputs) }
        return unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: summed.count * vocabulary) {
            memory in
            var sums = outputs
            for (place, view) in summed.enumerated() {
                let row = place * vocabulary..<(place + 1) * vocabulary
                sums[view] = unsafe RowOutput(UnsafeMutableBufferPointer(rebasing: memory[row]))
            }
            guard write(index, sums) else { return false }
            return summed.reduce(true) { areFinite, view in outputs[view].round(sums[view]) && areFinite }
        }
    }

    /// Writes the parts of each row to its output.
    private func write(_ index: Int, _ outputs: PerView<RowOutput>) -> Bool {
        var open = outputs
        for view in stopped where open[view].isWanted {
            open[view].clear()
            open[view] = .none
        }
        guard View.allCases.contains(where: { open[$0].isWanted }) else { return true }
        var isFinite = true
        if let contrast, !pairSlopes.isEmpty, pairSlopes[index] != PairValues() {
            isFinite = LentRows.lend(rows[index], of: logits, contrast.views) { rows in
                contrast.writeGradients(rows, slopes: pairSlopes[index], to: &open)
            }
        }
        for view in View.allCases where open[view].isWanted {
            guard let slopes = tokenSlopes[view] else {
                // The view takes no part in what is differentiated here, so nothing was written.
                open[view].clear()
                continue
            }
            guard let logits = logits[view] else {
                preconditionFailure("no logits of the \(view) view were given")
            }
            if slopes[index] == 0 {
                // The logits of a sequence without views may be anything, and 0 times them need not be 0.
                if !open[view].adds { open[view].clear() }
                continue
            }
            let written = logits.withRow(rows[index], as: logits.tensor.elementType) { row in
                writeTokenGradient(
                    of: tokens[index], slope: slopes[index], logits: row, as: logits.tensor.elementType,
                    temperature: logits.temperature, to: open[view])
            }
            if !written { isFinite = false }
        }
        return isFinite
    }
}
