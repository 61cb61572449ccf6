import Parallelism
package import TokenDistribution
import Tensor

/// How a token's rows of logits are read together: which pairs of views are contrasted over the vocabulary, by anchor.
package struct VocabularyContrast: Sendable, Equatable {
    private let contrast: RowContrast
    private let groups: [Group]
    /// Views whose rows must be there.
    package let views: Set<View>

    /// An anchor and what it is contrasted with: one or two views.
    private struct Group: Sendable, Equatable {
        let anchor: View
        let references: PerReference<View>
    }

    /// What one token's rows say.
    package struct Reading: Sendable, Equatable {
        /// Of views whose row was read; nil for the others.
        package var outcomes = PerView<RowStatistics.Outcome?>(repeating: nil)
        /// Nil where the statistics of a row are undefined. A divergence is infinite where one side lacks mass that it
        /// must have.
        package var divergences: PairValues?
    }

    /// - Parameter others: views whose statistics are wanted beside those of the pairs.
    package init(
        _ divergence: Divergence, pairs: Set<ViewPair>, temperature: Double, others: Set<View> = []
    ) {
        contrast = RowContrast(divergence, temperature: temperature)
        views = others.union(pairs.flatMap { [$0.anchor, $0.reference] })
        groups = View.allCases.compactMap { anchor in
            let references = View.allCases.filter {
                $0 != anchor && pairs.contains(ViewPair(anchor: anchor, reference: $0))
            }
            guard let first = references.first else { return nil }
            return Group(
                anchor: anchor, references: PerReference(first, references.count > 1 ? references[1] : nil))
        }
    }

    /// Statistics of every row, and the divergence of every pair.
    /// - Complexity: O(V) for each view and pair
    package func read(_ rows: LentRows) -> Reading {
        var reading = Reading()
        let statistics = PerView<RowStatistics?> { view in
            guard views.contains(view) else { return nil }
            return rows.withRow(of: view) { contrast.statistics($0, as: rows.elementType) }
        }
        for view in views { reading.outcomes[view] = statistics[view]?.outcome }
        guard views.allSatisfy({ reading.outcomes[$0]?.isDefined == true }) else { return reading }
        var divergences = PairValues()
        for group in groups {
            guard let anchor = statistics[group.anchor], let first = statistics[group.references.first] else {
                preconditionFailure("statistics of \(group) were not computed")
            }
            let found = rows.withRows(of: group.anchor, group.references) { anchorRow, firstRow, secondRow in
                contrast.divergences(
                    anchor: anchorRow, first: firstRow, second: secondRow, as: rows.elementType,
                    anchorStatistics: anchor,
                    referenceStatistics: PerReference(
                        first, group.references.second.flatMap { statistics[$0] }))
            }
            divergences[ViewPair(anchor: group.anchor, reference: group.references.first)] = found.first
            if let view = group.references.second, let value = found.second {
                divergences[ViewPair(anchor: group.anchor, reference: view)] = value
            }
        }
        reading.divergences = divergences
        return reading
    }

    /// The same for every response token of tensors that are held whole, [N]; nil for tokens outside the response, which
    /// are not read.
    /// - Parameter isWanted: asked now and then; false ends the work.
    /// - Returns: nil when the work was ended.
    /// - Complexity: O(N·V) time over all cores; beside the result, O(V) memory for each thread.
    package func read(
        _ logits: PerView<VocabularyLogits?>, responseMask: [UInt8], while isWanted: @Sendable () -> Bool
    ) -> [Reading?]? {
        let vocabulary = views.compactMap { logits[$0]?.vocabulary }.max() ?? 0
        return mapInParallel(
            responseMask.count, operations: responseMask.count * vocabulary, while: isWanted
        ) { token -> Reading? in
            guard responseMask[token] == 1 else { return nil }
            return LentRows.lend(token, of: logits, views) { read($0) }
        }
    }

    /// How many parts add up in a view's gradient: `writeGradients` writes its row so many times at most.
    func parts(of view: View) -> Int {
        groups.count { $0.anchor == view || $0.references.first == view || $0.references.second == view }
    }

    /// Writes Σ slope · ∂D/∂z of every pair for the views' logits, z before the division by temperature.
    ///
    /// - Parameters:
    ///   - slopes: ∂loss/∂D of each pair.
    ///   - outputs: a view that isn't contrasted, or with slopes of 0 only, is left alone. After a view's row was
    ///     written, its output adds.
    /// - Returns: whether everything written is finite.
    /// - Complexity: O(V) for each pair
    func writeGradients(_ rows: LentRows, slopes: PairValues, to outputs: inout PerView<RowOutput>) -> Bool {
        var isFinite = true
        for group in groups {
            let first = group.references.first
            let second = group.references.second
            let slopes = group.references.map { slopes[ViewPair(anchor: group.anchor, reference: $0)] }
            if slopes.first == 0, (slopes.second ?? 0) == 0 { continue }
            var places = ContrastOutputs(
                anchor: outputs[group.anchor], first: outputs[first],
                second: second.map { outputs[$0] } ?? .none)
            let written = rows.withRows(of: group.anchor, group.references) {
                anchorRow, firstRow, secondRow in
                contrast.writeGradients(
                    anchor: anchorRow, first: firstRow, second: secondRow, as: rows.elementType,
                    slopes: slopes, to: &places)
            }
            if !written { isFinite = false }
            outputs[group.anchor].adds = true
            outputs[first].adds = true
            if let second { outputs[second].adds = true }
        }
        return isFinite
    }
}

extension RowStatistics.Outcome {
    fileprivate var isDefined: Bool {
        if case .defined = self { true } else { false }
    }
}
