import Batches
import ContrastiveLoss
import JSON
import Perception
import Tensor
import TokenDistribution

/// A request to score, read and checked: everything from which the loss is computed, except the statistics of logits.
///
/// While a request is arriving, the tensors that have arrived are checked. For the others, the header
/// is checked.
struct ScoreInput {
    let options: ScoreOptions
    var tensors: TokenTensors
    /// The inputs of the loss.
    let needs: Needs
    let views: PerView<GivenView>
    /// [N], like all lists below; empty while they are still to come.
    let oldLogProbabilities: TokenNumbers?
    let referenceLogProbabilities: TokenNumbers?
    let perceptionMask: [UInt8]?
    let tokenIDs: [Int]?
    let merits: Merits

    /// The values that a request gives for one view.
    struct GivenView: Sendable {
        var logProbabilities: TokenNumbers?
        var entropy: TokenNumbers?
        /// The likeliest tokens, if the entropy is derived from them.
        var best: BestTokens?
        var logits: VocabularyLogits?
        /// The name of the tensor that holds the logits.
        var logitsField = ""
    }

    /// - Throws: all errors that were found.
    init(_ request: TensorRequest, _ context: OperationContext) throws(Problem) {
        var faults = Faults()
        options = ScoreOptions(
            body: request.options, query: context.members(of: ScoreOptions.table, &faults), &faults)
        try faults.check()
        let layout = try TokenLayout(request, guide: TensorSchema.score.guides, within: context)
        tensors = TokenTensors(request, layout: layout, faults: faults)
        let loss = options.loss
        needs = options.needs(
            hasOld: tensors.has(.oldLogProbabilities), hasReference: tensors.has(.referenceLogProbabilities))
        views = ScoreInput.readViews(&tensors, needs, options.temperature)
        oldLogProbabilities = tensors.numbers(.oldLogProbabilities)
        referenceLogProbabilities = tensors.numbers(.referenceLogProbabilities)
        perceptionMask = tensors.mask(.perceptionMask)
        // Checked even if they are not used: a wrong batch must not pass because of the options.
        let vocabulary = View.allCases.lazy.compactMap { [views] in views[$0].logits?.vocabulary }.first
        tokenIDs = tensors.tokenIDs(vocabulary: vocabulary ?? .max)
        merits = tensors.merits(
            loss.gate.method,
            needsAdvantages: loss.gate.method.needsAdvantages
                ?? (options.policy.method == .ppo ? "the policy ppo needs advantages" : nil))
        checkPresence()
        checkUse()
        try tensors.faults.check()
    }

    /// Returns whether the statistics of this view's logits are needed.
    func needsStatistics(of view: View) -> Bool {
        (needs.entropies.contains(view) && views[view].entropy == nil && views[view].best == nil)
            || needs.distributions.contains(view) || readsTokens(of: view)
            || options.gradientViews.contains(view)
    }

    /// Returns whether this view's log-probabilities are computed from its logits.
    func readsTokens(of view: View) -> Bool {
        needs.logProbabilities.contains(view) && views[view].logProbabilities == nil
    }

    /// The views for which gradients of log-probabilities are propagated to the logits.
    var tokenViews: Set<View> {
        options.loss.estimator.needsVocabulary
            ? Set(View.allCases.filter(readsTokens)) : options.gradientViews
    }

    /// The contrast that reads the rows of a token together; nil for estimates from the realised token.
    var contrast: VocabularyContrast? {
        guard !needs.pairs.isEmpty, let divergence = options.loss.estimator.divergence else { return nil }
        return VocabularyContrast(
            divergence, pairs: needs.pairs, temperature: options.temperature,
            others: Set(View.allCases.filter { needsStatistics(of: $0) && isHeld($0) }))
    }

    /// Returns whether this view's logits can be read: they are given, and were not folded separately as they arrived.
    private func isHeld(_ view: View) -> Bool {
        guard views[view].logits != nil else { return false }
        return tensors.has(.interleavedLogits) || tensors.request.reduced[views[view].logitsField] == nil
    }

    private static func readViews(
        _ tensors: inout TokenTensors, _ needs: Needs, _ temperature: Double
    ) -> PerView<GivenView> {
        var views = PerView(repeating: GivenView())
        let isInterleaved = tensors.has(.interleavedLogits)
        for view in View.allCases {
            views[view].logProbabilities = tensors.numbers(
                .logProbabilities(view), isUsed: needs.logProbabilities.contains(view))
            views[view].entropy = tensors.numbers(
                .entropy(view), isUsed: needs.entropies.contains(view))
            let spec = isInterleaved ? TensorSpec.interleavedLogits : .logits(view)
            views[view].logitsField = spec.name
            views[view].logits = tensors.logits(
                spec, temperature: temperature, slice: isInterleaved ? view.index : 0)
            let needsBest =
                needs.entropies.contains(view) && views[view].entropy == nil && views[view].logits == nil
            let best = tensors.best(.best(view), realised: views[view].logProbabilities)
            if needsBest { views[view].best = best }
            if let reply = tensors.replies(view, needsBest: needsBest) {
                views[view].logProbabilities = TokenNumbers(reply.logProbabilities)
                views[view].best = reply.best
            }
        }
        if isInterleaved {
            for view in View.allCases where tensors.has(.logits(view)) {
                tensors.faults.add(
                    .conflictingFields,
                    Problem.Reason(
                        "the logits of all views are interleaved in one tensor",
                        field: TensorSpec.logits(view).name))
            }
        }
        let vocabularies = View.allCases.compactMap { view in
            views[view].logits.map { (view, $0.vocabulary) }
        }
        for (view, vocabulary) in vocabularies.dropFirst()
        where vocabulary != vocabularies[0].1 && !tensors.isEmpty {
            tensors.faults.add(
                .invalidShape,
                Problem.Reason(
                    "the vocabularies of the views differ", field: TensorSpec.logits(view).name,
                    expected: "V = \(vocabularies[0].1)", found: "V = \(vocabulary)"))
        }
        return views
    }
}

extension Gate.Method {
    /// The reason that a batch needs advantages; nil if it does not.
    var needsAdvantages: String? {
        switch self {
        case .positiveAdvantage:
            "the gate positive_advantage needs advantages; use the gate none to omit them"
        case .reward, .none: nil
        }
    }
}
