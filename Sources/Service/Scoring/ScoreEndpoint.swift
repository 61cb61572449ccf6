import ContrastiveLoss
import JSON
import Perception
import TokenDistribution

/// /v1/score: distributions under three views and advantages → mask, gate, token losses, loss and gradients.
struct ScoreEndpoint: TensorOperation {
    static let schema = TensorSchema.score

    static func plan(for request: TensorRequest, context: OperationContext) throws(Problem) -> IntakePlan? {
        try ScoreInput(request, context).plan
    }

    static func reply(to request: TensorRequest, context: OperationContext) throws(Problem) -> TensorReply {
        var input = try ScoreInput(request, context)
        let report = try report(&input, context)
        let reply = try ScoreReply(
            report: report, tensors: input.tensors, options: input.options,
            gradients: gradients(report, input)
        ).reply
        try context.claim(reply)
        return reply
    }

    private static func report(
        _ input: inout ScoreInput, _ context: OperationContext
    ) throws(Problem) -> LossReport {
        let loss = input.options.loss
        let given = input.views
        let contrasted = try contrasted(input, context)
        var statistics = PerView<LogitStatistics?>(original: nil, preserving: nil, removing: nil)
        for view in View.allCases where input.needsStatistics(of: view) {
            guard let logits = given[view].logits else { continue }
            statistics[view] = try LogitStatistics(
                logits, context, field: input.logitsField(of: view), &input.tensors,
                contrasted: contrasted.map { rows in { rows[$0].outcome(of: view) } })
        }
        try input.tensors.faults.check()

        let detects = loss.detector.method == .entropy
        let batch = TokenBatch(
            rows: input.tensors.layout.rows, responseMask: input.tensors.responseMask,
            advantages: input.advantages,
            originalEntropy: detects ? given.original.entropy ?? statistics.original?.entropy : nil,
            removingEntropy: detects ? given.removing.entropy ?? statistics.removing?.entropy : nil)
        if loss.estimator.needsVocabulary {
            return try vocabularyReport(batch, contrasted?.map { $0?.divergences }, input)
        }

        var logProbabilities = PerView<[Double]>(original: [], preserving: [], removing: [])
        for view in View.allCases {
            if let values = given[view].logProbabilities {
                logProbabilities[view] = values
            } else if let logits = given[view].logits, let statistics = statistics[view],
                let tokenIDs = input.tokenIDs
            {
                logProbabilities[view] = statistics.logProbabilities(
                    of: tokenIDs, logits, field: input.logitsField(of: view), &input.tensors)
            }
        }
        try input.tensors.faults.check()
        return loss.score(batch, logProbabilities: logProbabilities)
    }

    /// The three rows of every response token read together, for estimators that need them and logits that are here.
    private static func contrasted(
        _ input: ScoreInput, _ context: OperationContext
    ) throws(Problem) -> [ContrastedRows?]? {
        guard input.options.loss.estimator.needsVocabulary, let logits = input.allLogits,
            input.tensors.request.reduced.isEmpty
        else { return nil }
        let contrasted = input.options.loss.contrast(
            logits, responseMask: input.tensors.responseMask, while: { context.isWanted })
        guard let contrasted else { throw .unheard }
        return contrasted
    }

    /// - Parameter divergences: nil for those that were computed while the logits arrived.
    private static func vocabularyReport(
        _ batch: TokenBatch, _ divergences: [ViewDivergences?]?, _ input: ScoreInput
    ) throws(Problem) -> LossReport {
        let reduced = input.tensors.request.reduced[View.interleavedLogits]
        guard let logits = input.allLogits, let divergences = divergences ?? reduced?.divergences else {
            preconditionFailure("presence of logits was checked")
        }
        // Outside the response; where statistics are undefined, the request was refused before.
        let none = ViewDivergences(preserving: 0, removing: 0)
        do throws(InfiniteDivergence) {
            return try input.options.loss.score(
                batch, divergences: divergences.map { $0 ?? none }, logits: reduced == nil ? logits : nil)
        } catch {
            throw Problem(
                .nonFiniteValue,
                input.tensors.layout.reason(
                    "the divergence is infinite: original has probability where this view has none",
                    field: input.logitsField(of: error.view), token: error.token
                ).ofPart(error.view.part, of: logits.original.parts))
        }
    }

    /// The gradients of logits that were asked for; nil for none.
    private static func gradients(_ report: LossReport, _ input: ScoreInput) -> LogitGradients? {
        if input.options.gradientViews.isEmpty { return nil }
        if case .logits(let gradients) = report.gradient { return gradients }
        guard let tokenIDs = input.tokenIDs else { return nil }
        let views = input.views
        return report.logitGradients(
            ofTokens: tokenIDs,
            logits: PerView(
                original: views.original.logits, preserving: views.preserving.logits,
                removing: views.removing.logits))
    }
}

extension ContrastedRows? {
    /// - Precondition: the token is one of the response: others are not read.
    fileprivate func outcome(of view: View) -> RowStatistics.Outcome {
        guard let self else { preconditionFailure("a token outside the response has no outcome") }
        return switch view {
        case .original: self.original
        case .preserving: self.preserving
        case .removing: self.removing
        }
    }
}
