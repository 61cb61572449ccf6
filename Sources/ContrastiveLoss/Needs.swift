import Perception

/// What a loss must be given of each view, and whose gradients it makes.
///
/// Everything else follows from it: which tensors a request must have, what becomes of logits while they arrive, which
/// gradients a reply holds.
package struct Needs: Sendable, Equatable {
    /// Views whose log-probabilities of the realised tokens are read.
    package var logProbabilities: Set<View> = []
    package var entropies: Set<View> = []
    /// Pairs of views that are contrasted over the whole vocabulary, from logits.
    package var pairs: Set<ViewPair> = []
    /// Views that have a gradient, of realised tokens' log-probabilities or, for those of `pairs`, of logits.
    package var gradients: Set<View> = []

    /// Views whose rows of logits are read together.
    package var distributions: Set<View> { Set(pairs.flatMap { [$0.anchor, $0.reference] }) }
}

extension PerceptionLoss {
    /// - Parameter hasOld: whether log-probabilities of the policy that made the responses are given, which stand for the
    ///   original's where a dependency is measured.
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

    /// Views whose entropy terms are in effect.
    package var entropyViews: [View] { View.allCases.filter { entropyCoefficients[$0] != 0 } }
}
