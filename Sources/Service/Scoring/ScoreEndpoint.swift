import Batches
import ContrastiveLoss
import JSON
import Perception
import TokenDistribution

/// /v1/score: distributions under the views and advantages → mask, gate, token losses, loss and gradients.
struct ScoreEndpoint: TensorOperation {
    static let schema = TensorSchema.score

    static func plan(for request: TensorRequest, context: OperationContext) throws(Problem) -> IntakePlan? {
        try ScoreInput(request, context).plan
    }

    static func reply(to request: TensorRequest, context: OperationContext) throws(Problem) -> TensorReply {
        var input = try ScoreInput(request, context)
        let (batch, entropies) = try batch(&input, context)
        let loss = input.options.loss
        let selection: Selection
        do throws(InfiniteDivergence) {
            selection = try loss.select(in: batch, for: input.options.detectionWishes)
        } catch {
            throw input.problem(error)
        }
        let policy = try input.policyReport(batch, selection)
        let report: LossReport
        do throws(InfiniteDivergence) {
            report = try loss.score(
                batch, selection, components: policy.map { [$0.component(of: batch)] } ?? [],
                wishes: input.options.wishes)
        } catch {
            throw input.problem(error)
        }
        let (texts, ignored) = request.texts?.fitted(to: input.tensors.layout) ?? (nil, nil)
        var reply = try ScoreReply(
            report: report, policy: policy, batch: batch, entropies: entropies, input: input,
            gradients: gradients(report, input), texts: texts, ignoredTexts: ignored
        ).reply
        if context.keepsTokens {
            reply.shown = ShownTokens(
                responseMask: batch.responseMask, tokenIDs: input.tokenIDs, texts: texts,
                logProbabilities: PerView { batch.logProbabilities[$0]?.apart },
                entropies: PerView { batch.entropies[$0]?.apart },
                advantages: batch.advantages?.apart, rewards: batch.rewards?.apart)
        }
        try context.claim(reply)
        return reply
    }

    /// Returns everything that the loss needs. What is not given is computed from logits.
    private static func batch(
        _ input: inout ScoreInput, _ context: OperationContext
    ) throws(Problem) -> (TokenBatch, ViewEntropies) {
        let given = input.views
        let readings = try readings(input, context)
        var batch = TokenBatch(input.tensors, input.merits)
        batch.perceptionMask = input.perceptionMask
        batch.oldLogProbabilities = input.oldLogProbabilities
        var statistics = PerView<LogitStatistics?>(repeating: nil)
        for view in View.allCases where input.needsStatistics(of: view) {
            guard let logits = given[view].logits else { continue }
            statistics[view] = try LogitStatistics(
                logits, context, field: given[view].logitsField, &input.tensors,
                mask: input.tensors.mask(of: view),
                read: input.contrast?.views.contains(view) == true
                    ? readings.map { readings in { readings[$0]?.outcomes[view] } } : nil)
        }
        try input.tensors.faults.check()
        var entropies = ViewEntropies()
        for view in View.allCases {
            if input.needs.entropies.contains(view) {
                entropies.set(view, given[view].entropy ?? statistics[view].map { TokenNumbers($0.entropy) })
                if let best = given[view].best {
                    let bounds = try best.bounds(
                        vocabulary: input.options.bounds.vocabulary ?? 1, &input.tensors, context)
                    entropies.set(view, bounds, input.options.bounds)
                }
            }
            guard input.needs.logProbabilities.contains(view) else { continue }
            if let values = given[view].logProbabilities {
                batch.logProbabilities[view] = values
            } else if let logits = given[view].logits, let statistics = statistics[view],
                let tokenIDs = input.tokenIDs
            {
                batch.logProbabilities[view] = TokenNumbers(
                    statistics.logProbabilities(
                        of: tokenIDs, logits, field: given[view].logitsField, &input.tensors))
            } else {
                // Without tokens, absent tensors count as empty.
                batch.logProbabilities[view] = []
            }
        }
        try input.tensors.faults.check()
        batch.entropies = entropies.values
        if !input.needs.pairs.isEmpty {
            let divergences =
                readings?.map { $0?.divergences }
                ?? input.tensors.request.reduced[TensorSpec.interleavedLogits.name]?.divergences
            // Nil outside the response. Undefined statistics have been refused above.
            batch.divergences = divergences?.map { $0 ?? PairValues() }
        }
        return (batch, entropies)
    }

    /// Reads the rows of every response token that has views together, if the estimator needs this and the logits are
    /// held.
    private static func readings(
        _ input: ScoreInput, _ context: OperationContext
    ) throws(Problem) -> [VocabularyContrast.Reading?]? {
        let isRead = input.tensors.request.reduced[TensorSpec.interleavedLogits.name] != nil
        guard let contrast = input.contrast, !isRead else { return nil }
        let readings = contrast.read(
            input.logits, responseMask: input.tensors.viewedMask, while: { context.isWanted })
        guard let readings else { throw .unheard }
        return readings
    }

    /// Returns the gradients of logits that are wanted; nil for none.
    private static func gradients(_ report: LossReport, _ input: ScoreInput) -> LogitGradients? {
        if input.options.gradientViews.isEmpty { return nil }
        return LogitGradients(
            report, tokenIDs: input.tokenIDs, logits: input.logits, tokenViews: input.tokenViews,
            contrast: input.options.loss.terms.isEmpty ? nil : input.contrast,
            stopped: input.options.loss.estimator.needsVocabulary ? input.options.loss.stopGradient : [])
    }
}

extension ScoreInput {
    var logits: PerView<VocabularyLogits?> { PerView { views[$0].logits } }

    fileprivate func problem(_ error: InfiniteDivergence) -> Problem {
        let (anchor, reference) = (error.pair.anchor, error.pair.reference)
        let slices = views[reference].logits?.slices ?? 1
        return Problem(
            .nonFiniteValue,
            tensors.layout.reason(
                "the divergence is infinite: \(anchor.rawValue) and \(reference.rawValue) give probability 0 to different tokens",
                field: views[reference].logitsField, token: error.token
            ).ofSlice(reference.index, of: slices))
    }
}
