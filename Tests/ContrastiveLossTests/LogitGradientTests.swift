import ContrastiveLoss
import Perception
import Tensor
import Testing
import TokenDistribution

@Suite("Gradients of logits")
struct LogitGradientTests {
    @Test("They agree with central differences of the loss", arguments: Estimator.allCases, [1, 0.6])
    func differences(_ estimator: Estimator, _ temperature: Double) throws {
        for terms in termLists {
            let subject = undetectedLoss(estimator, terms: terms)
            let point = SmallLogitBatch(temperature: temperature)
            // Token 2 is no response, token 3's gate is closed.
            #expect(try point.gradients(subject).rows == [0, 1])
            try expectDifferences(of: subject, at: point) { $0.aggregated.loss }
        }
    }

    @Test(
        "With entropies they are of the objective, on every response token", arguments: Estimator.allCases)
    func objective(_ estimator: Estimator) throws {
        for terms in termLists + [[]] {
            var subject = undetectedLoss(estimator, terms: terms)
            subject.gradientOf = .objective
            subject.coefficient = 0.4
            subject.entropyCoefficients = PerView(original: 0, preserving: 0.5, removing: -0.8)
            let point = SmallLogitBatch(temperature: 0.7)
            #expect(try point.gradients(subject).rows == [0, 1, 3])
            try expectDifferences(of: subject, at: point) { $0.objective }
        }
    }

    /// Compares every element of every covered view with a central difference.
    private func expectDifferences(
        of subject: PerceptionLoss, at point: SmallLogitBatch, _ value: (LossReport) -> Double
    ) throws {
        let gradients = try point.gradients(subject)
        #expect(gradients.vocabulary == SmallLogitBatch.vocabulary)
        let step = 1e-6
        var largest: Float = 0
        for index in gradients.rows.indices {
            let views = View.allCases.filter(gradients.covers)
            let row = filled(gradients, index, wanted: Set(views))
            for view in views {
                for entry in 0..<SmallLogitBatch.vocabulary {
                    func moved(_ by: Double) throws -> Double {
                        var moved = point
                        moved.values[view][gradients.rows[index] * SmallLogitBatch.vocabulary + entry] += by
                        return value(try moved.report(subject))
                    }
                    let slope = try (moved(step) - moved(-step)) / (2 * step)
                    #expect(abs(Double(row[view][entry]) - slope) <= 2e-7 * max(1, abs(slope)))
                    largest = max(largest, row[view][entry].magnitude)
                }
            }
        }
        #expect(largest > 1e-4, "a value that depends on nothing would pass too")
    }

    @Test("As BF16 they are the Floats rounded once, sums too", arguments: Estimator.allCases)
    func narrow(_ estimator: Estimator) throws {
        var sums = 0
        for terms in termLists {
            for stopped: Set<View> in [[], [.removing]] {
                for weight in [0, 0.37] {
                    var subject = undetectedLoss(estimator, terms: terms)
                    subject.gradientOf = .objective
                    subject.coefficient = 0.4
                    subject.entropyCoefficients = PerView(original: weight, preserving: weight, removing: 0)
                    subject.stopGradient = stopped
                    let gradients = try SmallLogitBatch(temperature: 0.7).gradients(subject)
                    let views = View.allCases.filter(gradients.covers)
                    sums += gradients.summedViews.count
                    for index in gradients.rows.indices {
                        let wide = filled(gradients, index, wanted: Set(views))
                        let narrow = filledBFloat16(gradients, index, views)
                        for view in views { #expect(narrow[view] == wide[view].map(nearestBFloat16)) }
                    }
                }
            }
        }
        #expect((sums > 0) == estimator.needsVocabulary)
    }

    @Test("A view that isn't wanted costs the others nothing", arguments: Estimator.allCases, View.allCases)
    func unwanted(_ estimator: Estimator, _ view: View) throws {
        let gradients = try SmallLogitBatch().gradients(undetectedLoss(estimator, terms: termLists[2]))
        let all = filled(gradients, 1)
        let alone = filled(gradients, 1, wanted: [view])
        #expect(alone[view] == all[view])
        for other in View.allCases where other != view { #expect(alone[other].isEmpty) }
    }

    @Test(
        "A stopped view has zeros and leaves the others alone", arguments: Estimator.allCases, View.allCases)
    func stopped(_ estimator: Estimator, _ view: View) throws {
        let point = SmallLogitBatch()
        var subject = undetectedLoss(estimator)
        let free = filled(try point.gradients(subject), 0)
        subject.stopGradient = [view]
        let stopped = filled(try point.gradients(subject), 0)
        #expect(stopped[view].map(\.bitPattern) == [0, 0, 0, 0, 0], "zeros without a sign")
        for other in View.allCases where other != view { #expect(stopped[other] == free[other]) }
        guard !estimator.needsVocabulary else { return }
        // The slopes of a stopped view's tokens are 0 as well.
        let unsaid = filled(try point.gradients(subject, point.report(subject), stopped: []), 0)
        #expect(unsaid[view].map(\.bitPattern) == [0, 0, 0, 0, 0] && unsaid == stopped)
    }

    @Test("Sampled tokens need the logits of the wanted view only")
    func oneView() throws {
        let point = SmallLogitBatch()
        let subject = undetectedLoss(.k3)
        let report = try point.report(subject)
        let alone = try point.gradients(
            subject, report,
            PerView(original: nil, preserving: nil, removing: point.logits.removing), tokenViews: [.removing])
        #expect(View.allCases.filter(alone.covers) == [.removing])
        let all = filled(try point.gradients(subject, report), 1)
        #expect(filled(alone, 1, wanted: [.removing]).removing == all.removing)
    }

    @Test("Where log-probabilities are an input, their part stays out of the logits")
    func givenLogProbabilities() throws {
        let point = SmallLogitBatch()
        var subject = undetectedLoss(.jeffreys)
        subject.coefficient = 1
        let bare = filled(try point.gradients(subject), 0)
        subject.gradientOf = .objective
        subject.entropyCoefficients.removing = 0.5
        let report = try point.report(subject)
        let apart = try point.gradients(subject, report, tokenViews: [])
        #expect(filled(apart, 0) == bare)
        // Token 3 has no loss, only an entropy: nothing for its logits.
        for view in View.allCases {
            #expect(filled(apart, 2)[view].map(\.bitPattern) == [0, 0, 0, 0, 0], "zeros without a sign")
        }
        #expect(try report.gradient(.removing)[3] != 0)
        let together = filled(try point.gradients(subject, report), 0)
        #expect(together.removing != bare.removing && together.original == bare.original)
    }

    @Test("Only views that have a part are covered")
    func covered() throws {
        let point = SmallLogitBatch()
        for estimator in Estimator.allCases {
            let terms = [Term(.preserving, .removing, weight: 1)]
            let gradients = try point.gradients(undetectedLoss(estimator, terms: terms))
            #expect(View.allCases.filter(gradients.covers) == [.preserving, .removing])
        }
    }

    @Test("Without logits there are none")
    func noLogits() throws {
        let point = SmallLogitBatch()
        let report = try point.report(undetectedLoss(.k3))
        #expect(
            LogitGradients(
                report, tokenIDs: nil, logits: PerView(repeating: nil), tokenViews: [], contrast: nil,
                stopped: []) == nil)
    }

    @Test("A slope beyond Float is told", arguments: Estimator.allCases)
    func tooLarge(_ estimator: Estimator) throws {
        var subject = undetectedLoss(estimator)
        subject.gradientScale = 1e200
        let gradients = try SmallLogitBatch().gradients(subject)
        _ = filled(gradients, 0, wanted: [.removing], isFinite: false)
        subject.stopGradient = Set(View.allCases)
        _ = filled(try SmallLogitBatch().gradients(subject), 0, isFinite: true)
    }
}
