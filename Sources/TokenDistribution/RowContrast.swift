import Glibc
package import Tensor

/// Contrasts one token's three rows of logits, [V] each: the anchor's with those of the other two views.
///
/// Rows are lent as they lie in a body, at any alignment, so that a caller can contrast one token after the other while the
/// body arrives. Results depend on the three rows and the instruction set alone.
///
/// All sums run in Double, whatever the logits' type: D(a‖p) of near-equal rows is a small difference of large sums, which
/// the loss divides by τ, and gradients are differences of probabilities. A divergence is off by less than 1e-12 nats, or
/// 1e-12 of itself, and never negative, so a margin over τ = 0.1 by less than 2e-11. An element of a gradient is off by
/// less than 1e-7 of the row's largest (Float's own rounding), and 4e-15 · slope · (1 + D)/T where log-ratios cancel.
/// F32, BF16 and F16 rows go through the kernels, F64 rows through lists of Doubles, which are slower.
/// Statistics (log-sum-exp and entropy) are those of `RowStatistics` to the bit: what a token's selection hangs on must
/// not depend on the estimator.
package struct RowContrast: Sendable {
    package let divergence: Divergence
    /// T > 0; every distribution is softmax(z/T).
    package let temperature: Double
    let instructionSet: InstructionSet

    package init(_ divergence: Divergence, temperature: Double, instructionSet: InstructionSet = .inUse) {
        precondition(temperature > 0)
        self.divergence = divergence
        self.temperature = temperature
        self.instructionSet = instructionSet
    }

    /// Statistics of the three rows and both divergences.
    /// - Parameter type: F32, F16, BF16 or F64.
    /// - Complexity: O(V)
    package func read(
        original: RawSpan, preserving: RawSpan, removing: RawSpan, as type: ElementType
    ) -> ContrastedRows {
        let (a, p, n) = (
            statistics(original, type), statistics(preserving, type), statistics(removing, type)
        )
        var rows = ContrastedRows(original: a.outcome, preserving: p.outcome, removing: n.outcome)
        guard a.isDefined && p.isDefined && n.isDefined else { return rows }
        guard let kernels = kernels(type) else {
            let wide = WideContrast(self, original, preserving, removing)
            rows.divergences = wide.divergences
            return rows
        }
        var scales = ViewScales(a, p, n)
        let crossed = kernels.contrast(original, preserving, removing, &scales)
        switch divergence {
        case .kullbackLeibler:
            rows.divergences = ViewDivergences(
                preserving: kullbackLeibler(scales.original, scales.preserving, crossed.preserving),
                removing: kullbackLeibler(scales.original, scales.removing, crossed.removing))
        case .jensenShannon:
            let toMean = kernels.mixture(original, preserving, removing, scales)
            // Of near-equal rows, rounding can leave −1e-17.
            rows.divergences = ViewDivergences(
                preserving: max(0, (toMean.preserving.anchor + toMean.preserving.reference) / 2),
                removing: max(0, (toMean.removing.anchor + toMean.removing.reference) / 2))
        }
        return rows
    }

    /// Writes slope · ∂D/∂z of both divergences for the three views' logits, z before the division by temperature: the
    /// original's gets a part from each.
    ///
    /// The rows' statistics must be defined. A span that is empty is not written; any other holds V elements.
    /// - Returns: whether everything written is finite.
    /// - Complexity: O(V)
    package func writeGradients(
        original: RawSpan, preserving: RawSpan, removing: RawSpan, as type: ElementType,
        slopes: ViewDivergences, toOriginal: inout MutableSpan<Float>,
        toPreserving: inout MutableSpan<Float>, toRemoving: inout MutableSpan<Float>
    ) -> Bool {
        let vocabulary = original.byteCount / type.size
        precondition(
            [toOriginal.count, toPreserving.count, toRemoving.count].allSatisfy {
                $0 == 0 || $0 == vocabulary
            }
        )
        guard let kernels = kernels(type) else {
            let wide = WideContrast(self, original, preserving, removing)
            return wide.writeGradients(slopes, &toOriginal, &toPreserving, &toRemoving)
        }
        var scales = ViewScales(
            statistics(original, type), statistics(preserving, type), statistics(removing, type))
        let crossed = kernels.contrast(original, preserving, removing, &scales)
        let forPreserving: ReferenceSlope
        let forRemoving: ReferenceSlope
        switch divergence {
        case .kullbackLeibler:
            // D = E[x_a − x_r]/T − log S_a + log S_r, so that log π_a − log π_r − D is x_a − x_r less its mean, by T.
            forPreserving = slope(slopes.preserving, 1, crossed.preserving.mean, 0)
            forRemoving = slope(slopes.removing, 1, crossed.removing.mean, 0)
        case .jensenShannon:
            let toMean = kernels.mixture(original, preserving, removing, scales)
            forPreserving = slope(
                slopes.preserving, 0.5, toMean.preserving.anchor, toMean.preserving.reference)
            forRemoving = slope(slopes.removing, 0.5, toMean.removing.anchor, toMean.removing.reference)
        }
        return kernels.writeGradients(
            divergence, original, preserving, removing, scales, (forPreserving, forRemoving),
            toOriginal: &toOriginal, toPreserving: &toPreserving, toRemoving: &toRemoving)
    }

    private func statistics(_ bytes: RawSpan, _ type: ElementType) -> RowStatistics {
        var statistics = RowStatistics(temperature: temperature, instructionSet: instructionSet)
        statistics.add(bytes, as: type)
        return statistics
    }

    private func kernels(_ type: ElementType) -> ContrastKernels? {
        KernelElement(type).map {
            ContrastKernels(element: $0, temperature: temperature, instructionSet: instructionSet)
        }
    }

    private func kullbackLeibler(
        _ anchor: RowScale, _ reference: RowScale, _ crossed: ContrastKernels.Crossed
    ) -> Double {
        let logSum = log(anchor.sum)
        if exp((crossed.uncovered - anchor.anchor) / temperature - logSum) > 0 { return .infinity }
        // Of near-equal rows, rounding can leave −1e-17.
        return max(0, crossed.mean / temperature - logSum + log(reference.sum))
    }

    /// Where a clamp holds an infinite divergence its slope is 0, and 0 · ∞ must not reach the gradients.
    private func slope(
        _ slope: Double, _ part: Double, _ anchorLevel: Double, _ level: Double
    ) -> ReferenceSlope {
        if slope == 0 { return ReferenceSlope() }
        return ReferenceSlope(slope: slope * part / temperature, anchorLevel: anchorLevel, level: level)
    }
}

extension ViewScales {
    fileprivate init(_ original: RowStatistics, _ preserving: RowStatistics, _ removing: RowStatistics) {
        self.init(
            original: RowScale(anchor: original.anchor), preserving: RowScale(anchor: preserving.anchor),
            removing: RowScale(anchor: removing.anchor))
    }
}

extension RowStatistics {
    var isDefined: Bool {
        if case .defined = outcome { true } else { false }
    }
}
