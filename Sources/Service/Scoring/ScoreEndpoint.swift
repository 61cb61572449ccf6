import ContrastiveLoss
import JSON
import Perception
import TokenDistribution

/// /v1/score: distributions under three views and advantages → mask, gate, token losses, loss and gradients.
struct ScoreEndpoint: TensorOperation {
    static let schema = TensorSchema.score

    static func reply(to request: TensorRequest, context: OperationContext) throws(Problem) -> TensorReply {
        var faults = Faults()
        let options = ScoreOptions(
            body: request.options, query: context.members(of: ScoreOptions.table, &faults), &faults)
        try faults.check()

        let views = View.allCases.map(\.rawValue)
        let guide =
            views.map { "\($0).log_probs" } + views.map { "\($0).logits" } + views.map { "\($0).entropy" }
        let layout = try TokenLayout(request, guide: guide)
        try context.check(layout)
        var tensors = TokenTensors(request, layout: layout, faults: faults)
        let report = try report(&tensors, options, context)
        return try ScoreReply(report: report, tensors: tensors, options: options).reply
    }

    private static func report(
        _ tensors: inout TokenTensors, _ options: ScoreOptions, _ context: OperationContext
    ) throws(Problem) -> LossReport {
        let loss = options.loss
        let given = readViews(&tensors, options)
        // Checked even where they are not used: a wrong batch must not pass because of the options.
        let vocabulary = View.allCases.compactMap { given[$0].logits?.vocabulary }.first
        let tokenIDs = tensors.tokenIDs(vocabulary: vocabulary ?? .max)
        let advantages = tensors.advantages(required: loss.gate.method == .positiveAdvantage)
        checkPresence(given, &tensors, options)
        try tensors.faults.check()

        // Statistics of those logits that something is computed from.
        var statistics = PerView<LogitStatistics?>(original: nil, preserving: nil, removing: nil)
        for view in View.allCases {
            guard let logits = given[view].logits else { continue }
            let forEntropy =
                loss.detector.method == .entropy && view != .preserving && given[view].entropy == nil
            let forLoss = loss.estimator.needsVocabulary || given[view].logProbabilities == nil
            guard forEntropy || forLoss else { continue }
            statistics[view] = LogitStatistics(logits, field: "\(view.rawValue).logits", &tensors)
        }
        try tensors.faults.check()

        let detects = loss.detector.method == .entropy
        let batch = TokenBatch(
            rows: tensors.layout.rows, responseMask: tensors.responseMask, advantages: advantages,
            originalEntropy: detects ? given.original.entropy ?? statistics.original?.entropy : nil,
            removingEntropy: detects ? given.removing.entropy ?? statistics.removing?.entropy : nil)

        if loss.estimator.needsVocabulary {
            guard let original = given.original.logits, let preserving = given.preserving.logits,
                let removing = given.removing.logits
            else { preconditionFailure("presence of logits was checked") }
            let withGradients = options.returned.contains { ScoreOutput.gradients.contains($0) }
            let rows = withGradients ? tensors.responseMask.reduce(0) { $0 + Int($1) } : 0
            try context.check(
                tensors.layout, furtherBytes: rows * original.vocabulary * 3 * MemoryLayout<Float>.size)
            let logits = PerView(original: original, preserving: preserving, removing: removing)
            let divergences = loss.contrast(logits, responseMask: tensors.responseMask).map {
                // Outside the response, and where statistics are undefined, which was refused above.
                $0?.divergences ?? ViewDivergences(preserving: 0, removing: 0)
            }
            do throws(InfiniteDivergence) {
                return try loss.score(batch, divergences: divergences, logits: logits)
            } catch {
                throw Problem(
                    .nonFiniteValue,
                    tensors.layout.reason(
                        "the divergence is infinite: original has probability where this view has none",
                        field: "\(error.view.rawValue).logits", token: error.token))
            }
        }

        var logProbabilities = PerView<[Double]>(original: [], preserving: [], removing: [])
        for view in View.allCases {
            if let values = given[view].logProbabilities {
                logProbabilities[view] = values
            } else if let logits = given[view].logits, let statistics = statistics[view], let tokenIDs {
                logProbabilities[view] = statistics.logProbabilities(
                    of: tokenIDs, logits, field: "\(view.rawValue).logits", &tensors)
            }
        }
        try tensors.faults.check()
        return loss.score(batch, logProbabilities: logProbabilities)
    }

    /// What a request gives for one view, checked.
    private struct GivenView: Sendable {
        var logProbabilities: [Double]?
        var entropy: [Double]?
        var logits: VocabularyLogits?
    }

    private static func readViews(_ tensors: inout TokenTensors, _ options: ScoreOptions) -> PerView<
        GivenView
    > {
        var views = PerView(original: GivenView(), preserving: GivenView(), removing: GivenView())
        for view in View.allCases {
            views[view].logProbabilities = tensors.numbers("\(view.rawValue).log_probs")
            views[view].entropy = tensors.numbers("\(view.rawValue).entropy")
            views[view].logits = tensors.logits("\(view.rawValue).logits", temperature: options.temperature)
        }
        let vocabularies = View.allCases.compactMap { view in views[view].logits.map { (view, $0.vocabulary) }
        }
        for (view, vocabulary) in vocabularies.dropFirst() where vocabulary != vocabularies[0].1 {
            tensors.faults.add(
                .invalidShape,
                Problem.Reason(
                    "the vocabularies of the views differ", field: "\(view.rawValue).logits",
                    expected: "V = \(vocabularies[0].1)", found: "V = \(vocabulary)"))
        }
        return views
    }

    /// Names everything that the options need and the request lacks.
    private static func checkPresence(
        _ given: PerView<GivenView>, _ tensors: inout TokenTensors, _ options: ScoreOptions
    ) {
        let loss = options.loss
        var needsTokens = false
        for view in View.allCases {
            let name = view.rawValue
            let hasLogits = tensors.has("\(name).logits")
            if loss.estimator.needsVocabulary {
                if !hasLogits {
                    tensors.addMissing("\(name).logits", "the estimator \(loss.estimator.rawValue) needs it")
                }
            } else if !tensors.has("\(name).log_probs") {
                if hasLogits {
                    needsTokens = true
                } else {
                    tensors.addMissing(
                        "\(name).log_probs", "missing, and so is \(name).logits to compute it from")
                }
            }
            if loss.detector.method == .entropy, view != .preserving, !tensors.has("\(name).entropy"),
                !hasLogits
            {
                tensors.addMissing(
                    "\(name).entropy", "the entropy detector needs it, or \(name).logits to compute it from")
            }
        }
        if needsTokens, !tensors.has("token_ids") {
            tensors.addMissing("token_ids", "log-probabilities are computed from logits with them")
        }
    }
}

extension TokenTensors {
    mutating func addMissing(_ field: String, _ text: String) {
        // No rollouts, nothing missing: an empty batch is valid.
        if case .rollouts(let ids) = layout.kind, ids.isEmpty { return }
        faults.add(.missingField, Problem.Reason(text, field: field))
    }
}
