import Batches
import Tensor
package import TokenDistribution

/// ∂/∂logits for the tokens that carry a gradient, z before the division by temperature. Each row is computed when it
/// is asked for and written where it is wanted, so that no [S,V] array is ever held here.
package struct LogitGradients: Sendable {
    /// [S]: flat indices of the tokens that carry a gradient, ascending.
    package let rows: [Int]
    /// V
    package let vocabulary: Int
    /// Nil for a view whose logits were not given.
    private let logits: PerView<VocabularyLogits?>
    private let contrast: VocabularyContrast?
    /// [S]: ∂/∂D of each pair of views; empty without a contrast.
    private let pairSlopes: [PairValues]
    /// [S]: ∂/∂(log-probability of the realised token), for views whose log-probabilities are those of their logits.
    private let tokenSlopes: PerView<[Double]?>
    /// [S]; empty without slopes of tokens.
    private let tokens: [Int]
    private let stopped: Set<View>

    /// - Parameters:
    ///   - report: whose gradients are carried on to the logits. By the chain rule ∂/∂z = ∂/∂(log-probability) ·
    ///     (1[v = y] − softmax(z/T)[v]) / T, plus what the divergences give.
    ///   - tokenIDs: y, [N]; below V where the report's carriers are 1. Nil where no realised token counts.
    ///   - logits: nil for views that have none; one has.
    ///   - tokenViews: views whose log-probabilities were computed from their logits.
    ///   - contrast: how divergences were computed; nil for estimates from the realised token.
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

    /// Whether this view's logits have a part in what is differentiated.
    package func covers(_ view: View) -> Bool {
        logits[view] != nil && (contrast?.views.contains(view) == true || tokenSlopes[view] != nil)
    }

    /// Views whose gradients are sums of several parts. Such a row is made in Float and then rounded to a narrower type,
    /// so that it is rounded once.
    package var summedViews: [View] {
        View.allCases.filter { view in
            guard !stopped.contains(view) else { return false }
            return (contrast?.parts(of: view) ?? 0) + (tokenSlopes[view] == nil ? 0 : 1) > 1
        }
    }

    /// Writes the gradients of token `rows[index]`.
    ///
    /// Outputs hold V elements each, or none for a view that isn't wanted. A view whose gradient is stopped gets zeros;
    /// one whose logits were not given must not be asked for. Rows may be filled in any order and by any number of
    /// threads.
    /// - Returns: whether everything written is finite: the largest slopes don't fit the outputs' types.
    /// - Complexity: O(V) time, and for rows of a narrower type than Float that are sums, O(V) memory
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

    /// Writes the parts of each row where they go.
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
                // Nothing was written: the view has no part in what is differentiated here.
                open[view].clear()
                continue
            }
            guard let logits = logits[view] else {
                preconditionFailure("no logits of the \(view) view were given")
            }
            if slopes[index] == 0 {
                // Of a sequence without views the logits may be anything: 0 times them need not be 0.
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
