import ContrastiveLoss
import JSON
import Perception
import TokenDistribution

/// A request to score as it was read and checked: everything the loss is computed from but the logits' statistics.
///
/// Of a request that is still arriving, what has arrived is checked, and of the rest what the header says.
struct ScoreInput {
    let options: ScoreOptions
    var tensors: TokenTensors
    let views: PerView<GivenView>
    /// [N]; empty while they are still to come.
    let tokenIDs: [Int]?
    let advantages: [Double]?

    /// What a request gives for one view.
    struct GivenView: Sendable {
        var logProbabilities: [Double]?
        var entropy: [Double]?
        var logits: VocabularyLogits?
    }

    /// - Throws: everything found wrong.
    init(_ request: TensorRequest, _ context: OperationContext) throws(Problem) {
        var faults = Faults()
        options = ScoreOptions(
            body: request.options, query: context.members(of: ScoreOptions.table, &faults), &faults)
        try faults.check()
        let names = View.allCases.map(\.rawValue)
        let guide =
            names.map { "\($0).log_probs" } + names.map { "\($0).logits" } + [View.interleavedLogits]
            + names.map { "\($0).entropy" }
        let layout = try TokenLayout(
            request, guide: guide, interleaved: View.interleavedLogits, within: context)
        tensors = TokenTensors(request, layout: layout, faults: faults)
        views = ScoreInput.readViews(&tensors, options)
        // Checked even where they are not used: a wrong batch must not pass because of the options.
        let vocabulary = View.allCases.lazy.compactMap { [views] in views[$0].logits?.vocabulary }.first
        tokenIDs = tensors.tokenIDs(vocabulary: vocabulary ?? .max)
        advantages = tensors.advantages(required: options.loss.gate.method == .positiveAdvantage)
        checkPresence()
        try tensors.faults.check()
    }

    /// The tensor that holds this view's logits.
    func logitsField(of view: View) -> String {
        tensors.has(View.interleavedLogits) ? View.interleavedLogits : "\(view.rawValue).logits"
    }

    /// Whether something is computed from the statistics of this view's logits.
    func needsStatistics(of view: View) -> Bool {
        let forEntropy =
            options.loss.detector.method == .entropy && view != .preserving && views[view].entropy == nil
        return forEntropy || options.loss.estimator.needsVocabulary || readsTokens(of: view)
            || options.gradientViews.contains(view)
    }

    /// The logits of all three views; nil when any has none.
    var allLogits: PerView<VocabularyLogits>? {
        guard let original = views.original.logits, let preserving = views.preserving.logits,
            let removing = views.removing.logits
        else { return nil }
        return PerView(original: original, preserving: preserving, removing: removing)
    }

    /// Whether this view's log-probabilities are computed from its logits.
    func readsTokens(of view: View) -> Bool {
        !options.loss.estimator.needsVocabulary && views[view].logProbabilities == nil
    }

    private static func readViews(
        _ tensors: inout TokenTensors, _ options: ScoreOptions
    ) -> PerView<GivenView> {
        var views = PerView(original: GivenView(), preserving: GivenView(), removing: GivenView())
        for view in View.allCases {
            views[view].logProbabilities = tensors.numbers("\(view.rawValue).log_probs")
            views[view].entropy = tensors.numbers("\(view.rawValue).entropy")
            views[view].logits =
                tensors.has(View.interleavedLogits)
                ? tensors.logits(
                    View.interleavedLogits, temperature: options.temperature, part: view.part,
                    of: View.allCases.count)
                : tensors.logits("\(view.rawValue).logits", temperature: options.temperature)
        }
        if tensors.has(View.interleavedLogits) {
            for view in View.allCases where tensors.has("\(view.rawValue).logits") {
                tensors.faults.add(
                    .conflictingFields,
                    Problem.Reason(
                        "the logits of all views are interleaved in one tensor",
                        field: "\(view.rawValue).logits"))
            }
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
    private mutating func checkPresence() {
        let loss = options.loss
        var needsTokens = !loss.estimator.needsVocabulary && !options.gradientViews.isEmpty
        for view in View.allCases {
            let name = view.rawValue
            let hasLogits = tensors.has("\(name).logits") || tensors.has(View.interleavedLogits)
            if loss.estimator.needsVocabulary {
                if !hasLogits {
                    tensors.addMissing("\(name).logits", "the estimator \(loss.estimator.rawValue) needs it")
                }
            } else if options.gradientViews.contains(view), !hasLogits {
                tensors.addMissing("\(name).logits", "their gradient was asked for")
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
            tensors.addMissing(
                "token_ids", "log-probabilities of logits and their gradients are computed with them")
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
