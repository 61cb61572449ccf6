import Perception
package import TokenDistribution

extension PerceptionLoss {
    /// Scores a batch whose divergences run over the whole vocabulary; logits [N,V] for each view.
    ///
    /// Needs the log-sum-exp of every response row, [N] for each view. Gradients are those of the logits before the
    /// division by temperature, for the rows that carry loss only.
    /// - Throws: `InfiniteDivergence` for the first response token whose anchor has mass where a reference has none.
    /// - Complexity: O(N·V) time; beside the result, O(V) memory for each thread.
    package func score(
        _ batch: TokenBatch, logits: PerView<VocabularyLogits>, logSumExp: PerView<[Double]>
    ) throws(InfiniteDivergence) -> LossReport {
        guard let divergence = estimator.divergence else {
            preconditionFailure("\(estimator) needs no vocabulary")
        }
        let clamps = self.clamps
        var report = select(in: batch)
        let tokens = (0..<batch.rows.tokens).filter { batch.responseMask[$0] == 1 }

        // Both divergences of every response token.
        let pairs = mapInParallel(tokens.count) { index in
            let token = tokens[index]
            let views = logProbabilities(of: token, logits, logSumExp)
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

        // Gradients of the rows that carry loss.
        let carriers = tokens.indices.filter { report.mask[tokens[$0]] == 1 }
        let vocabulary = logits.original.vocabulary
        let temperature = logits.original.temperature
        let scales = carriers.map { index in
            let token = tokens[index]
            return term.loss(margin: report.margin[token]).slope * gradientScale
                * report.aggregated.tokenWeights[batch.rows.row(of: token)]
        }
        let stopped = stopGradient
        let gradients = mapInParallel(carriers.count) { index in
            let pair = pairs[carriers[index]]
            let views = logProbabilities(of: tokens[carriers[index]], logits, logSumExp)
            var gradient = PerView(repeating: [Double](repeating: 0, count: vocabulary))
            divergence.addGradient(
                anchor: views.original, reference: views.preserving, scale: scales[index] * pair.near.slope,
                temperature: temperature, toAnchor: &gradient.original, toReference: &gradient.preserving)
            divergence.addGradient(
                anchor: views.original, reference: views.removing, scale: -scales[index] * pair.far.slope,
                temperature: temperature, toAnchor: &gradient.original, toReference: &gradient.removing)
            return PerView(
                original: gradient.original.map(Float.init), preserving: gradient.preserving.map(Float.init),
                removing: gradient.removing.map(Float.init))
        }
        var joined = PerView(repeating: [Float]())
        for view in View.allCases {
            joined[view].reserveCapacity(carriers.count * vocabulary)
            for gradient in gradients {
                joined[view].append(
                    contentsOf: stopped.contains(view)
                        ? [Float](repeating: 0, count: vocabulary) : gradient[view])
            }
        }
        report.gradient = .logits(rows: carriers.map { tokens[$0] }, vocabulary: vocabulary, joined)
        return report
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
    of token: Int, _ logits: PerView<VocabularyLogits>, _ logSumExp: PerView<[Double]>
) -> PerView<[Double]> {
    func view(_ view: View) -> [Double] {
        logits[view].logProbabilities(ofRow: token, logSumExp: logSumExp[view][token])
    }
    return PerView(original: view(.original), preserving: view(.preserving), removing: view(.removing))
}
