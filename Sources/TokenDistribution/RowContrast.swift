import Glibc
package import Tensor

/// Contrasts one token's row of logits, the anchor's, with those of one or two references, [V] each.
///
/// Rows are lent as they lie in a body, at any alignment, so that a caller can contrast one token after the other while the
/// body arrives. Results depend on the rows and the instruction set alone.
///
/// All sums run in Double, whatever the logits' type: a divergence of near-equal rows is a small difference of large sums,
/// which the loss divides by τ, and gradients are differences of probabilities. A divergence is off by less than 1e-12
/// nats, or 1e-12 of itself, and never negative, so a contrast over τ = 0.1 by less than 2e-11. An element of a gradient is
/// off by less than 1e-7 of the row's largest (Float's own rounding), and 4e-15 · slope · (1 + D)/T where log-ratios
/// cancel. F32, BF16 and F16 rows go through the kernels, F64 rows through lists of Doubles, which are slower.
package struct RowContrast: Sendable, Equatable {
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

    /// A row's statistics, which `RowContrast` needs of every row it is given.
    package func statistics(_ row: RawSpan, as type: ElementType) -> RowStatistics {
        var statistics = RowStatistics(temperature: temperature, instructionSet: instructionSet)
        statistics.add(row, as: type)
        return statistics
    }

    /// D(anchor ‖ reference) for each reference, in nats; infinite where one side has mass that the other must have too.
    ///
    /// - Parameters:
    ///   - second: empty where there is one reference only.
    ///   - statistics: of each row, defined.
    /// - Complexity: O(V)
    package func divergences(
        anchor: RawSpan, first: RawSpan, second: RawSpan, as type: ElementType,
        anchorStatistics: RowStatistics, referenceStatistics: PerReference<RowStatistics>
    ) -> PerReference<Double> {
        guard let kernels = kernels(type) else {
            let wide = WideContrast(self, anchor, first, second)
            return wide.divergences
        }
        var scales = ContrastScales(anchorStatistics, referenceStatistics)
        let crossed = kernels.contrast(anchor, first, second, &scales)
        switch divergence {
        case .kullbackLeibler:
            return PerReference(
                kullbackLeibler(scales.anchor, scales.references.first, crossed.first),
                crossed.second.flatMap { crossed in
                    scales.references.second.map { kullbackLeibler(scales.anchor, $0, crossed) }
                })
        case .jensenShannon:
            return kernels.halves(of: divergence, anchor, first, second, scales).map(mean)
        case .jeffreys:
            let halves = kernels.halves(of: divergence, anchor, first, second, scales)
            return PerReference(
                jeffreys(scales.anchor, scales.references.first, crossed.first, halves.first),
                crossed.second.flatMap { crossed in
                    scales.references.second.flatMap { reference in
                        halves.second.map { jeffreys(scales.anchor, reference, crossed, $0) }
                    }
                })
        }
    }

    /// Writes slope · ∂D/∂z for each reference's divergence, z before the division by temperature: the anchor's row gets a
    /// part from each.
    ///
    /// The rows' statistics must be defined.
    /// - Returns: whether everything written is finite.
    /// - Complexity: O(V)
    package func writeGradients(
        anchor: RawSpan, first: RawSpan, second: RawSpan, as type: ElementType,
        slopes: PerReference<Double>, to outputs: inout ContrastOutputs
    ) -> Bool {
        let vocabulary = anchor.byteCount / type.size
        precondition(
            [outputs.anchor.count, outputs.first.count, outputs.second.count].allSatisfy {
                $0 == 0 || $0 == vocabulary
            })
        guard let kernels = kernels(type) else {
            let wide = WideContrast(self, anchor, first, second)
            return wide.writeGradients(slopes, &outputs)
        }
        var scales = ContrastScales(
            statistics(anchor, as: type),
            PerReference(
                statistics(first, as: type), slopes.second == nil ? nil : statistics(second, as: type)))
        let crossed = kernels.contrast(anchor, first, second, &scales)
        let steps: PerReference<ReferenceSlope>
        switch divergence {
        case .kullbackLeibler:
            // D = E[x_a − x_r]/T − log S_a + log S_r, so that log π_a − log π_r − D is x_a − x_r less its mean, by T.
            steps = PerReference(
                step(slopes.first, 1, crossed.first.mean, 0),
                slopes.second.flatMap { slope in crossed.second.map { step(slope, 1, $0.mean, 0) } })
        case .jensenShannon, .jeffreys:
            let halves = kernels.halves(of: divergence, anchor, first, second, scales)
            steps = PerReference(
                step(slopes.first, 0.5, halves.first.anchor, halves.first.reference),
                slopes.second.flatMap { slope in
                    halves.second.map { step(slope, 0.5, $0.anchor, $0.reference) }
                })
        }
        return kernels.writeGradients(divergence, anchor, first, second, scales, steps, to: &outputs)
    }

    private func kernels(_ type: ElementType) -> ContrastKernels? {
        KernelElement(type).map {
            ContrastKernels(element: $0, temperature: temperature, instructionSet: instructionSet)
        }
    }

    private func kullbackLeibler(
        _ anchor: RowScale, _ reference: RowScale, _ crossed: ContrastKernels.Crossed
    ) -> Double {
        if hasMass(anchor, at: crossed.uncovered) { return .infinity }
        // Of near-equal rows, rounding can leave −1e-17.
        return max(0, crossed.mean / temperature - log(anchor.sum) + log(reference.sum))
    }

    private func jeffreys(
        _ anchor: RowScale, _ reference: RowScale, _ crossed: ContrastKernels.Crossed,
        _ halves: ContrastKernels.Halves
    ) -> Double {
        if hasMass(anchor, at: crossed.uncovered) || hasMass(reference, at: crossed.uncovering) {
            return .infinity
        }
        return mean(halves)
    }

    /// Of near-equal rows, rounding can leave −1e-17.
    private func mean(_ halves: ContrastKernels.Halves) -> Double {
        max(0, (halves.anchor + halves.reference) / 2)
    }

    /// Whether a logit that the other row doesn't cover has probability in its own.
    private func hasMass(_ row: RowScale, at logit: Double) -> Bool {
        exp((logit - row.pivot) / temperature - log(row.sum)) > 0
    }

    /// Where a clamp holds an infinite divergence its slope is 0, and 0 · ∞ must not reach the gradients.
    private func step(
        _ slope: Double, _ part: Double, _ anchorLevel: Double, _ level: Double
    ) -> ReferenceSlope {
        if slope == 0 { return ReferenceSlope() }
        return ReferenceSlope(slope: slope * part / temperature, anchorLevel: anchorLevel, level: level)
    }
}

extension ContrastScales {
    fileprivate init(_ anchor: RowStatistics, _ references: PerReference<RowStatistics>) {
        self.init(
            anchor: RowScale(pivot: anchor.pivot),
            references: references.map { RowScale(pivot: $0.pivot) })
    }
}
