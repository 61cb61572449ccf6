import Parallelism
package import TokenDistribution
import Tensor

/// The pairs of views that are contrasted over the vocabulary, by anchor. The rows of a token are read together.
package struct VocabularyContrast: Sendable, Equatable {
    private let contrast: RowContrast
    private let groups: [Group]
    /// The views whose rows must be given.
    package let views: Set<View>

    /// An anchor and its one or two references.
    private struct Group: Sendable, Equatable {
        let anchor: View
        let references: PerReference<View>
    }

    /// The results for the rows of one token.
    package struct Reading: Sendable, Equatable {
        /// The outcomes of the rows that were read; nil for other views.
        package var outcomes = PerView<RowStatistics.Outcome?>(repeating: nil)
        /// Nil if the statistics of a row are undefined. A divergence is infinite where one side lacks mass that it
        /// must have.
        package var divergences: PairValues?
    }

    /// - Parameter others: the views whose statistics are wanted in addition to those of the pairs.
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

    /// Returns the statistics of every row, and the divergence of every pair.
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

    /// Reads the rows of every response token from tensors that are held whole, [N]. Tokens outside the response are
    /// not read, and their readings are nil.
    /// - Parameter isWanted: called now and then; false ends the work.
    /// - Returns: nil if the work was ended.
    /// - Complexity: O(N·V) time over all cores. In addition to the result, each thread takes O(V) memory.
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

    /// Returns the number of parts that add up to a view's gradient. `writeGradients` writes the view's row at most
    /// that often.
    func parts(of view: View) -> Int {
        groups.count { $0.anchor == view || $0.references.first == view || $0.references.second == view }
    }

    /// Writes Σ slope · ∂D/∂z of every pair for the views' logits, z before the division by temperature.
    ///
    /// - Parameters:
    ///   - slopes: ∂loss/∂D of each pair.
    ///   - outputs: views that are not contrasted, or have only slopes of 0, are left alone. Once a view's row has been
    ///     written, its output adds.
    /// - Returns: whether all written values are finite.
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
