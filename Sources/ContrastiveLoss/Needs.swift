import Perception

/// The inputs that a loss needs from each view, and the views whose gradients it computes.
///
/// Everything else follows from these: the tensors that a request must contain, what happens to logits while they
/// arrive, and the gradients in a reply.
package struct Needs: Sendable, Equatable {
    /// The views whose log-probabilities of the realised tokens are read.
    package var logProbabilities: Set<View> = []
    package var entropies: Set<View> = []
    /// The pairs of views that are contrasted over the whole vocabulary, from logits.
    package var pairs: Set<ViewPair> = []
    /// The views that have a gradient. It is with respect to logits for views of `pairs`, and to the log-probabilities
    /// of the realised tokens for the others.
    package var gradients: Set<View> = []

    /// The views whose rows of logits are read together.
    package var distributions: Set<View> { Set(pairs.flatMap { [$0.anchor, $0.reference] }) }
}

extension PerceptionLoss {
    /// Returns the needs of the loss.
    /// - Parameter hasOld: whether the log-probabilities of the policy that sampled the responses are given. They
    ///   replace those of the original view where a dependency is measured.
    package func needs(hasOld: Bool) -> Needs {
        var needs = Needs()
        let dependency = ViewPair(anchor: .original, reference: .removing)
        for term in terms {
            if estimator.needsVocabulary {
                needs.pairs.insert(term.pair)
            } else {
                needs.logProbabilities.formUnion([term.pair.anchor, term.pair.reference])
            }
            needs.gradients.formUnion([term.pair.anchor, term.pair.reference])
        }
        let anchor: Set<View> = hasOld ? [] : [.original]
        switch detector.method {
        case .entropy: needs.entropies = [.original, .removing]
        case .divergence:
            if estimator.needsVocabulary {
                needs.pairs.insert(dependency)
                if detector.candidates == .rising {
                    needs.logProbabilities.formUnion([.original, .removing])
                }
            } else {
                needs.logProbabilities.formUnion(anchor.union([.removing]))
            }
        case .given, .none: break
        }
        if advantageScaling != nil { needs.logProbabilities.formUnion(anchor.union([.removing])) }
        for view in entropyViews {
            needs.logProbabilities.insert(view)
            if gradientOf == .objective { needs.gradients.insert(view) }
        }
        return needs
    }

    /// The views whose entropy terms are in effect.
    package var entropyViews: [View] { View.allCases.filter { entropyCoefficients[$0] != 0 } }
}
