import ContrastiveLoss
import Perception
import Testing

@Suite("What a loss needs")
struct NeedsTests {
    private let toRemoving = ViewPair(anchor: .original, reference: .removing)

    @Test("Terms need log-probabilities of their views, or logits of their pairs, and give them gradients")
    func terms() {
        var subject = plainLoss(.k3)
        #expect(subject.needs(hasOld: false).logProbabilities == Set(View.allCases))
        subject.terms = [Term(.preserving, .removing, weight: 1)]
        let views: Set<View> = [.preserving, .removing]
        #expect(subject.needs(hasOld: true).says(logProbabilities: views, gradients: views))
        subject.estimator = .jsd
        let needs = subject.needs(hasOld: false)
        #expect(needs.says(pairs: [ViewPair(anchor: .preserving, reference: .removing)], gradients: views))
        #expect(needs.distributions == views)
        subject.terms = []
        #expect(subject.needs(hasOld: false).says())
    }

    @Test("A detector needs its views, without a gradient")
    func detectors() {
        var subject = plainLoss(.k3)
        subject.terms = []
        subject.detector.method = .entropy
        #expect(subject.needs(hasOld: false).says(entropies: [.original, .removing]))
        subject.detector.method = .divergence
        #expect(subject.needs(hasOld: false).says(logProbabilities: [.original, .removing]))
        #expect(subject.needs(hasOld: true).says(logProbabilities: [.removing]))
        subject.estimator = .fullKL
        #expect(subject.needs(hasOld: false).says(pairs: [toRemoving]))
        subject.detector.candidates = .rising
        #expect(
            subject.needs(hasOld: false).says(
                logProbabilities: [.original, .removing], pairs: [toRemoving]))
        subject.detector.method = .given
        #expect(subject.needs(hasOld: false).says())
    }

    @Test("A scale of advantages needs what a dependency is estimated from")
    func scaling() {
        var subject = plainLoss(.k3)
        subject.terms = []
        subject.advantageScaling = AdvantageScaling()
        #expect(subject.needs(hasOld: false).logProbabilities == [.original, .removing])
        #expect(subject.needs(hasOld: true).logProbabilities == [.removing])
        #expect(subject.needs(hasOld: true).gradients == [])
    }

    @Test("Entropy terms need their views, with a gradient where it is of the objective")
    func entropies() {
        var subject = plainLoss(.fullKL)
        subject.terms = []
        subject.entropyCoefficients.preserving = -0.5
        #expect(subject.entropyViews == [.preserving])
        #expect(subject.needs(hasOld: false).logProbabilities == [.preserving])
        #expect(subject.needs(hasOld: false).gradients == [])
        subject.gradientOf = .objective
        #expect(subject.needs(hasOld: false).gradients == [.preserving])
    }

    @Test("Pairs of views have places of their own")
    func pairs() {
        #expect(ViewPair.all.map(\.index) == [0, 1, 2, 3, 4, 5] && Set(ViewPair.all).count == 6)
        var values = PairValues()
        for pair in ViewPair.all { values[pair] = Double(pair.index) + 0.5 }
        #expect(ViewPair.all.map { values[$0] } == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5])
        #expect(View.allCases.map(\.index) == [0, 1, 2])
    }
}

extension Needs {
    /// Whether it is this and nothing else.
    fileprivate func says(
        logProbabilities: Set<View> = [], entropies: Set<View> = [], pairs: Set<ViewPair> = [],
        gradients: Set<View> = []
    ) -> Bool {
        self.logProbabilities == logProbabilities && self.entropies == entropies && self.pairs == pairs
            && self.gradients == gradients
    }
}
