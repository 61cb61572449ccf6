import Parallelism
import Perception
package import TokenDistribution

extension PerceptionLoss {
    /// How a token's rows of logits are contrasted; nil for estimators that look at the realised token alone.
    package func rowContrast(temperature: Double) -> RowContrast? {
        switch estimator {
        case .fullKL: RowContrast(.kullbackLeibler, temperature: temperature)
        case .jsd: RowContrast(.jensenShannon, temperature: temperature)
        case .k1, .abs, .k2, .k3: nil
        }
    }

    /// Statistics and divergences of every response token's rows, [N]; nil for tokens outside the response, which are
    /// not read. The estimator must be one that needs the vocabulary.
    /// - Parameter isWanted: asked now and then; false ends the work.
    /// - Returns: nil when the work was ended.
    /// - Complexity: O(N·V) time over all cores; beside the result, O(V) memory for each thread.
    package func contrast(
        _ logits: PerView<VocabularyLogits>, responseMask: [UInt8],
        while isWanted: @Sendable () -> Bool
    ) -> [ContrastedRows?]? {
        guard let contrast = rowContrast(temperature: logits.original.temperature) else {
            preconditionFailure("\(estimator) needs no vocabulary")
        }
        let operations = responseMask.count * logits.original.vocabulary
        return mapInParallel(responseMask.count, operations: operations, while: isWanted) {
            token -> ContrastedRows? in
            guard responseMask[token] == 1 else { return nil }
            return contrast.read(
                token, original: logits.original, preserving: logits.preserving, removing: logits.removing)
        }
    }

    /// Scores a batch from the divergences of its tokens over the whole vocabulary, [N]; those outside the response are
    /// not looked at.
    ///
    /// token loss c = term(m), m = D(a‖p) − D(a‖n); ∂m/∂D(a‖p) = 1 and ∂m/∂D(a‖n) = −1, 0 where a clamp is active.
    /// - Parameter logits: what the divergences were computed from, if it is still at hand: the report then has the
    ///   logits' gradients, otherwise those of the divergences.
    /// - Throws: `InfiniteDivergence` for the first response token whose anchor has mass where a reference has none.
    /// - Complexity: O(N)
    package func score(
        _ batch: TokenBatch, divergences: [ViewDivergences], logits: PerView<VocabularyLogits>? = nil
    ) throws(InfiniteDivergence) -> LossReport {
        precondition(estimator.needsVocabulary && divergences.count == batch.rows.tokens)
        var report = select(in: batch)
        var slopes = [ViewDivergences](
            repeating: ViewDivergences(preserving: 0, removing: 0), count: batch.rows.tokens)
        for token in divergences.indices where batch.responseMask[token] == 1 {
            let near = clamped(divergences[token].preserving)
            let far = clamped(divergences[token].removing)
            for (estimate, view) in [(near, View.preserving), (far, View.removing)]
            where !estimate.value.isFinite { throw InfiniteDivergence(token: token, view: view) }
            report.margin[token] = near.value - far.value
            report.isClamped[token] = near.isClamped || far.isClamped
            let loss = term.loss(margin: report.margin[token])
            report.tokenLoss[token] = loss.value
            guard report.mask[token] == 1 else { continue }
            slopes[token] = ViewDivergences(
                preserving: loss.slope * near.slope, removing: -loss.slope * far.slope)
        }
        report.aggregated = aggregation.aggregate(
            losses: report.tokenLoss, mask: report.mask, rows: batch.rows)
        for row in 0..<batch.rows.count {
            let weight = report.aggregated.tokenWeights[row] * gradientScale
            // A slope of 0 stays 0 under any weight.
            for token in batch.rows[row] {
                if slopes[token].preserving != 0 { slopes[token].preserving *= weight }
                if slopes[token].removing != 0 { slopes[token].removing *= weight }
            }
        }
        guard let logits, let divergence = rowContrast(temperature: logits.original.temperature)?.divergence
        else {
            report.gradient = .divergences(slopes)
            return report
        }
        let rows = slopes.indices.filter { report.mask[$0] == 1 }
        report.gradient = .logits(
            LogitGradients(
                rows: rows, vocabulary: logits.original.vocabulary,
                logits: PerView(
                    original: logits.original, preserving: logits.preserving, removing: logits.removing),
                slopes: .divergences(divergence, rows.map { slopes[$0] }), stopped: stopGradient))
        return report
    }

    /// A divergence with the result's clamp: slope 1 where gradient passes, 0 where the clamp is active.
    private func clamped(_ exact: Double) -> Estimate {
        guard let limit = clamps.result, exact > limit else {
            return Estimate(value: exact, slope: 1, isClamped: false)
        }
        return Estimate(value: limit, slope: 0, isClamped: true)
    }
}

extension LossReport {
    /// The logits' gradients of an estimator that looks at the realised token alone: by the chain rule, ∂loss/∂z =
    /// ∂loss/∂(log-probability) · (1[v = y] − softmax(z/T)[v]) / T, for the tokens that carry loss.
    ///
    /// Nil for a report whose gradients are of something else than log-probabilities.
    /// - Parameters:
    ///   - tokenIDs: y, [N]; below V where the mask is 1.
    ///   - logits: nil for views whose log-probabilities were given as such; at least one is not.
    /// - Complexity: O(N)
    package func logitGradients(
        ofTokens tokenIDs: [Int], logits: PerView<VocabularyLogits?>
    ) -> LogitGradients? {
        guard case .logProbabilities(let slopes) = gradient,
            let vocabulary = View.allCases.lazy.compactMap({ logits[$0]?.vocabulary }).first
        else { return nil }
        let rows = mask.indices.filter { mask[$0] == 1 }
        return LogitGradients(
            rows: rows, vocabulary: vocabulary, logits: logits,
            slopes: .tokens(
                rows.map { tokenIDs[$0] },
                PerView(
                    original: rows.map { Double(slopes.original[$0]) },
                    preserving: rows.map { Double(slopes.preserving[$0]) },
                    removing: rows.map { Double(slopes.removing[$0]) })),
            // A stopped view's slopes are 0 already.
            stopped: [])
    }
}

/// D is infinite: the anchor has probability where the reference, `view`, has exactly none.
package struct InfiniteDivergence: Error, Equatable, Sendable {
    package let token: Int
    package let view: View

    package init(token: Int, view: View) {
        self.token = token
        self.view = view
    }
}
