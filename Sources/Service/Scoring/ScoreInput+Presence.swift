import ContrastiveLoss
import Perception
import PolicyObjective

extension ScoreInput {
    /// Reports every tensor that the options need and the request lacks.
    mutating func checkPresence() {
        let loss = options.loss
        var needsTokens = !tokenViews.isEmpty
        for view in View.allCases {
            let name = view.rawValue
            let hasLogits = tensors.has(.logits(view)) || tensors.has(.interleavedLogits)
            if needs.distributions.contains(view), !hasLogits {
                tensors.addMissing(.logits(view), "the estimator \(loss.estimator.rawValue) needs it")
            } else if namesLogitGradient(of: view), !hasLogits {
                tensors.addMissing(.logits(view), "their gradient was requested")
            } else if needs.logProbabilities.contains(view), !tensors.has(.logProbabilities(view)),
                tensors.request.replies[view] == nil
            {
                if hasLogits {
                    needsTokens = true
                } else {
                    tensors.addMissing(
                        .logProbabilities(view),
                        "missing, as is \(name).logits, from which it could be computed")
                }
            }
            if needs.entropies.contains(view), !tensors.has(.entropy(view)), !hasLogits,
                !tensors.has(.best(view)), tensors.request.replies[view] == nil
            {
                tensors.addMissing(
                    .entropy(view),
                    "the entropy detector needs it, or \(name).logits or \(name).top_log_probs to compute it from"
                )
            }
        }
        if needsTokens, !tensors.has(.tokenIDs) {
            tensors.addMissing(
                .tokenIDs, "required to compute log-probabilities from logits, and their gradients")
        }
        if options.policy.method == .ppo, !tensors.has(.oldLogProbabilities), !tensors.isEmpty {
            tensors.addMissing(
                .oldLogProbabilities, "the policy ppo needs the log-probabilities of the policy that sampled")
        }
        if options.policy.kl.coefficient != 0, !tensors.has(.referenceLogProbabilities), !tensors.isEmpty {
            tensors.addMissing(.referenceLogProbabilities, "kl_coefficient needs a reference policy")
        }
        tensors.checkPerceptionMask(loss.detector.method)
    }

    /// Refuses inputs and options that have no effect.
    mutating func checkUse() {
        let loss = options.loss
        let usesOld =
            options.policy.method == .ppo
            || (loss.detector.method == .divergence && !loss.estimator.needsVocabulary)
            || loss.advantageScaling != nil
        if tensors.has(.oldLogProbabilities), !usesOld {
            tensors.refuse(.oldLogProbabilities, "there is no policy term, and no dependency is measured")
        }
        tensors.checkBounds(
            options.bounds, isUsed: View.allCases.contains { views[$0].best != nil },
            temperature: options.temperature)
        let usesBounds = !options.named.isDisjoint(with: ScoreOutput.bounds)
        let readsNothing = tensors.isEmpty || tensors.isWithoutViews
        for view in needs.entropies where usesBounds && views[view].best == nil && !readsNothing {
            let outputs = [ScoreOutput.lowerBound(of: view), ScoreOutput.upperBound(of: view)]
            for output in outputs.compactMap({ $0 }) where options.named.contains(output) {
                tensors.faults.add(
                    .conflictingFields,
                    Problem.Reason(
                        "this view's entropy has no bounds: it is not derived from top_log_probs",
                        field: "return",
                        found: output.rawValue))
            }
        }
        let usesLogits = View.allCases.contains { needsStatistics(of: $0) && views[$0].logits != nil }
        if options.temperature != 1, !usesLogits, !readsNothing {
            tensors.faults.add(
                .conflictingFields,
                Problem.Reason(
                    "it has no effect: it divides logits, and no logits are used", field: "temperature"))
        }
        for view in View.allCases where learnsThroughLogits(view) {
            let outputs = [ScoreOutput.gradient(of: view, logits: false), .weights(of: view)]
            for output in outputs where options.named.contains(output) {
                tensors.faults.add(
                    .conflictingFields,
                    Problem.Reason(
                        "the view's log-probabilities are computed from its logits, so only the logits have a gradient",
                        field: "return", found: output.rawValue))
            }
        }
    }

    /// Returns whether the contribution of a view's own log-probabilities is part of the gradient of its logits. It is
    /// in no other tensor then, because a trainer that used both would count it twice.
    func learnsThroughLogits(_ view: View) -> Bool {
        options.loss.estimator.needsVocabulary && readsTokens(of: view)
    }

    /// Returns whether the gradient of this view's logits is required. Over the vocabulary, a view has none if it takes
    /// part only through its own log-probabilities.
    private func namesLogitGradient(of view: View) -> Bool {
        guard options.gradientViews.contains(view) else { return false }
        return !options.loss.estimator.needsVocabulary
            || options.named.contains(.gradient(of: view, logits: true))
    }
}
