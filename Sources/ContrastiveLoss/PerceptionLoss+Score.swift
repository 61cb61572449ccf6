import Batches
import Perception

extension PerceptionLoss {
    /// Scores a batch with selected tokens.
    ///
    /// The loss of a token is c = shape(m) with m = Σ weight · D. It is computed for every response token of sequences
    /// with views, and it counts where the mask is 1. The objective adds the entropy terms over all response tokens,
    /// and `components`.
    /// - Throws: `InfiniteDivergence` for the first response token with an infinite divergence over the vocabulary.
    /// - Complexity: O(N · terms)
    package func score(
        _ batch: TokenBatch, _ selection: Selection, components: [ObjectiveComponent] = [],
        wishes: ReportWishes = ReportWishes()
    ) throws(InfiniteDivergence) -> LossReport {
        let entropyTerms = entropyViews.map { EntropyTerm($0, coefficient: entropyCoefficients[$0], batch) }
        let isWhole = gradientOf == .objective
        let addends = isWhole ? addends(entropyTerms, components, batch) : PerView(repeating: nil)
        let needs = needs(hasOld: batch.oldLogProbabilities != nil)
        var report = LossReport(
            selection: selection, aggregated: .none, objective: 0, gradients: .init(),
            carriers: isWhole && View.allCases.contains { addends[$0] != nil }
                ? batch.responseMask : selection.mask)
        report.entropyTerms = entropyTerms
        let weight = gradientScale * (isWhole ? coefficient : 1)
        if estimator.needsVocabulary {
            try scoreDivergences(batch, weight: weight, &report)
            for view in View.allCases {
                report.gradients.logProbabilities[view] = addends[view].map { FloatList.narrowing($0).list }
            }
        } else {
            let views = needs.gradients.union(components.isEmpty || !isWhole ? [] : [.original])
            scoreTokens(
                batch, weight: weight, gradients: views.intersection(wishes.gradients), addends: addends,
                wishes, &report)
        }
        report.objective =
            coefficient * report.aggregated.loss
            + entropyTerms.reduce(0) { $0 + $1.coefficient * $1.value }
            + components.reduce(0) { $0 + $1.value }
        return report
    }

    /// Returns ∂/∂(log-probability) of everything but the loss, scaled: [N] for each view that takes part, 0 for
    /// stopped views.
    private func addends(
        _ entropyTerms: [EntropyTerm], _ components: [ObjectiveComponent], _ batch: TokenBatch
    ) -> PerView<[Double]?> {
        var addends = PerView<[Double]?>(repeating: nil)
        func add(to view: View, _ value: (Int) -> Double) {
            var sum = addends[view] ?? [Double](repeating: 0, count: batch.sequences.tokens)
            if !stopGradient.contains(view) {
                let mask = batch.mask(of: view)
                for token in sum.indices where mask[token] == 1 {
                    sum[token] += gradientScale * value(token)
                }
            }
            addends[view] = sum
        }
        for term in entropyTerms {
            let slope = -term.coefficient / term.denominator
            add(to: term.view) { _ in slope }
        }
        for component in components { add(to: .original) { component.gradient[$0] } }
        return addends
    }

    /// Scores a batch by estimates from the realised tokens.
    private func scoreTokens(
        _ batch: TokenBatch, weight: Double, gradients views: Set<View>, addends: PerView<[Double]?>,
        _ wishes: ReportWishes, _ report: inout LossReport
    ) {
        let mask = report.selection.mask
        let contrast = TokenContrast(terms: terms, estimator: estimator, clamps: clamps, shape: shape)
        // A token's weight depends on how many tokens are selected, not on their losses, so one pass computes the
        // gradients, too.
        func lists(_ weights: [Double]) -> TokenContrast.Lists {
            var lists = contrast.lists(
                batch.logProbabilities, responseMask: batch.viewedMask, mask: mask,
                sequences: batch.sequences,
                weights: weights,
                wishes: TokenContrast.Wishes(
                    contrast: wishes.contrast && !terms.isEmpty,
                    isClamped: wishes.isClamped && !terms.isEmpty,
                    loss: wishes.tokenLoss == .doubles && !terms.isEmpty,
                    narrowLoss: wishes.tokenLoss == .floats && !terms.isEmpty,
                    gradients: views.subtracting(stopGradient), addends: addends))
            addUnviewed(addends.original, batch, to: &lists.gradients.original)
            for view in views.intersection(stopGradient) {
                lists.gradients[view] = FloatList(zeros: batch.sequences.tokens)
            }
            return lists
        }
        guard !terms.isEmpty else {
            report.gradients.logProbabilities =
                lists([Double](repeating: 0, count: batch.sequences.count)).gradients
            return
        }
        let weights = aggregation.tokenWeights(mask: mask, sequences: batch.sequences).map { $0 * weight }
        var found = lists(weights)
        report.aggregated = aggregation.aggregate(
            sums: found.sums.map(\.loss), mask: mask, sequences: batch.sequences)
        if capIfNeeded(&report) { found = lists(weights.map { _ in 0 }) }
        report.contrast = found.contrast
        report.isClamped = found.isClamped
        report.tokenLoss = found.loss
        report.narrowTokenLoss = found.narrowLoss
        report.sums = found.sums
        report.gradients.logProbabilities = found.gradients
    }

    /// Adds the gradients of sequences without views. These have no contrast, so the addends are the whole gradient of
    /// the original view.
    private func addUnviewed(_ addends: [Double]?, _ batch: TokenBatch, to gradients: inout FloatList?) {
        guard let addends, gradients != nil, batch.isMixed else { return }
        let viewed = batch.viewedMask
        unsafe gradients?.withMutableFloats { floats in
            for token in addends.indices where batch.responseMask[token] != viewed[token] {
                unsafe floats?[token] = Float(addends[token])
            }
        }
    }

    /// Scores a batch by divergences over the whole vocabulary. ∂m/∂D is the weight of a term, or 0 where a clamp is
    /// active.
    private func scoreDivergences(
        _ batch: TokenBatch, weight: Double, _ report: inout LossReport
    ) throws(InfiniteDivergence) {
        let count = batch.sequences.tokens
        report.gradients.divergences = [PairValues](repeating: PairValues(), count: count)
        guard !terms.isEmpty else { return }
        guard let divergences = batch.divergences, divergences.count == count else {
            preconditionFailure("\(estimator) needs divergences")
        }
        report.contrast = [Double](repeating: 0, count: count)
        report.isClamped = [Bool](repeating: false, count: count)
        report.tokenLoss = report.contrast
        var slopes = [PairValues](repeating: PairValues(), count: count)
        let viewed = batch.viewedMask
        for token in divergences.indices where viewed[token] == 1 {
            var contrast = 0.0
            var steps = PairValues()
            for term in terms {
                let found = clamps.clamped(divergences[token][term.pair])
                guard found.value.isFinite else { throw InfiniteDivergence(token: token, pair: term.pair) }
                contrast += term.weight * found.value
                steps[term.pair] += term.weight * found.slope
                if found.slope == 0 { report.isClamped[token] = true }
            }
            report.contrast[token] = contrast
            let loss = shape.loss(contrast)
            report.tokenLoss[token] = loss.value
            guard report.selection.mask[token] == 1 else { continue }
            for term in terms { slopes[token][term.pair] = steps[term.pair] * loss.slope }
        }
        report.sums = (0..<batch.sequences.count).map { sums(of: batch.sequences[$0], report) }
        report.aggregated = aggregation.aggregate(
            sums: report.sums.map(\.loss), mask: report.selection.mask, sequences: batch.sequences)
        if capIfNeeded(&report) { return }
        let pairs = Set(terms.map(\.pair))
        for sequence in 0..<batch.sequences.count {
            let weight = report.aggregated.tokenWeights[sequence] * weight
            for token in batch.sequences[sequence] {
                // A slope of 0 stays 0 under any weight.
                for pair in pairs where slopes[token][pair] != 0 { slopes[token][pair] *= weight }
            }
        }
        report.gradients.divergences = slopes
    }

    /// Returns the sums over the tokens of one sequence that carry loss.
    private func sums(of range: Range<Int>, _ report: LossReport) -> SequenceSums {
        let mask = report.selection.mask
        var sums = SequenceSums()
        sums.contrast = sum(of: report.contrast.span, where: mask.span, in: range)
        sums.loss = sum(of: report.tokenLoss.span, where: mask.span, in: range)
        for token in range where report.isClamped[token] && mask[token] == 1 { sums.clamped += 1 }
        return sums
    }

    /// Caps the loss if it exceeds the cap.
    /// - Returns: whether the cap is active.
    private func capIfNeeded(_ report: inout LossReport) -> Bool {
        guard let cap, report.aggregated.loss.magnitude > cap else { return false }
        report.aggregated.loss = report.aggregated.loss > 0 ? cap : -cap
        report.isCapped = true
        return true
    }
}
