import Parallelism
import Perception
package import TokenDistribution

extension PerceptionLoss {
    /// Scores a batch whose divergences run over the whole vocabulary; logits [N,V] for each view.
    ///
    /// Every response row must be legal: a finite logit, no NaN, no +inf. Gradients are those of the logits before the
    /// division by temperature, for the rows that carry loss only; no rows without `withGradients`.
    /// - Throws: `InfiniteDivergence` for the first response token whose anchor has mass where a reference has none.
    /// - Complexity: O(N·V) time; beside the result, O(V) memory for each thread.
    package func score(
        _ batch: TokenBatch, logits: PerView<VocabularyLogits>, withGradients: Bool
    ) throws(InfiniteDivergence) -> LossReport {
        guard let divergence = estimator.divergence else {
            preconditionFailure("\(estimator) needs no vocabulary")
        }
        let clamps = self.clamps
        var report = select(in: batch)
        let tokens = (0..<batch.rows.tokens).filter { batch.responseMask[$0] == 1 }

        // Both divergences of every response token.
        let vocabulary = logits.original.vocabulary
        let pairs = mapInParallel(tokens.count, operations: tokens.count * vocabulary) { index in
            let token = tokens[index]
            let views = logProbabilities(of: token, logits)
            return (
                near: divergence.estimate(views.original, views.preserving, clamps),
                far: divergence.estimate(views.original, views.removing, clamps)
            )
        }
        for (token, pair) in zip(tokens, pairs) {
            for (estimate, view) in [(pair.near, View.preserving), (pair.far, View.removing)]
            where !estimate.value.isFinite { throw InfiniteDivergence(token: token, view: view) }
            report.margin[token] = pair.near.value - pair.far.value
            report.isClamped[token] = pair.near.isClamped || pair.far.isClamped
            report.tokenLoss[token] = term.loss(margin: report.margin[token]).value
        }
        report.aggregated = aggregation.aggregate(
            losses: report.tokenLoss, mask: report.mask, rows: batch.rows)

        let carriers = withGradients ? tokens.indices.filter { report.mask[tokens[$0]] == 1 } : []
        let scales = carriers.map { index in
            let token = tokens[index]
            return term.loss(margin: report.margin[token]).slope * gradientScale
                * report.aggregated.tokenWeights[batch.rows.row(of: token)]
        }
        let gradients = mapInParallel(carriers.count, operations: carriers.count * vocabulary) { index in
            let views = logProbabilities(of: tokens[carriers[index]], logits)
            let (near, far) = pairs[carriers[index]]
            return gradient(
                divergence, views, near: scales[index] * near.slope, far: -scales[index] * far.slope,
                temperature: logits.original.temperature)
        }
        var joined = PerView(repeating: [Float]())
        for view in View.allCases { joined[view] = gradients.flatMap { $0[view] } }
        report.gradient = .logits(
            rows: carriers.map { tokens[$0] }, vocabulary: vocabulary, joined)
        return report
    }

    /// near · ∂D(a‖p)/∂z + far · ∂D(a‖n)/∂z for the three views' logits, [V] each; zeros for stopped views.
    private func gradient(
        _ divergence: Divergence, _ views: PerView<[Double]>, near: Double, far: Double, temperature: Double
    ) -> PerView<[Float]> {
        var gradient = PerView(repeating: [Double](repeating: 0, count: views.original.count))
        divergence.addGradient(
            anchor: views.original, reference: views.preserving, scale: near, temperature: temperature,
            toAnchor: &gradient.original, toReference: &gradient.preserving)
        divergence.addGradient(
            anchor: views.original, reference: views.removing, scale: far, temperature: temperature,
            toAnchor: &gradient.original, toReference: &gradient.removing)
        var narrowed = PerView(repeating: [Float](repeating: 0, count: views.original.count))
        for view in View.allCases where !stopGradient.contains(view) {
            narrowed[view] = gradient[view].map(Float.init)
        }
        return narrowed
    }
}

/// D is infinite: the anchor has probability where the reference, `view`, has exactly none.
package struct InfiniteDivergence: Error, Equatable, Sendable {
    package let token: Int
    package let view: View
}

extension Estimator {
    fileprivate var divergence: Divergence? {
        switch self {
        case .fullKL: .kullbackLeibler
        case .jsd: .jensenShannon
        case .k1, .abs, .k2, .k3: nil
        }
    }
}

extension Divergence {
    /// The value with the result's clamp; `slope` is 1 where gradient passes and 0 where the clamp is active.
    fileprivate func estimate(_ anchor: [Double], _ reference: [Double], _ clamps: Clamps) -> Estimate {
        let exact = value(anchor: anchor, reference: reference)
        guard let limit = clamps.result, exact > limit else {
            return Estimate(value: exact, slope: 1, isClamped: false)
        }
        return Estimate(value: limit, slope: 0, isClamped: true)
    }
}

private func logProbabilities(
    of token: Int, _ logits: PerView<VocabularyLogits>
) -> PerView<[Double]> {
    PerView(
        original: logits.original.logProbabilities(ofRow: token),
        preserving: logits.preserving.logProbabilities(ofRow: token),
        removing: logits.removing.logProbabilities(ofRow: token))
}
