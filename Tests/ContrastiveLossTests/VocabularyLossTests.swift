import ContrastiveLoss
import Perception
import Testing

@Suite("Gradients of logits")
struct VocabularyLossTests {
    @Test("They agree with central differences of the loss", arguments: Estimator.allCases, [1, 0.6])
    func differences(_ estimator: Estimator, _ temperature: Double) throws {
        let subject = undetectedLoss(estimator)
        let point = SmallLogitBatch(temperature: temperature)
        let gradients = try point.gradients(point.report(subject))
        // Token 2 is no response, token 3's gate is closed.
        #expect(gradients.rows == [0, 1] && gradients.vocabulary == SmallLogitBatch.vocabulary)
        let step = 1e-6
        for index in gradients.rows.indices {
            let row = filled(gradients, index)
            for view in View.allCases {
                for entry in 0..<SmallLogitBatch.vocabulary {
                    func moved(_ by: Double) throws -> Double {
                        var moved = point
                        moved.values[view][gradients.rows[index] * SmallLogitBatch.vocabulary + entry] += by
                        return try moved.report(subject).aggregated.loss
                    }
                    let slope = try (moved(step) - moved(-step)) / (2 * step)
                    #expect(abs(Double(row[view][entry]) - slope) <= 1e-7 * max(1, abs(slope)))
                }
            }
        }
        #expect(try moves(subject, point) > 1e-3, "a loss that depends on nothing would pass too")
    }

    /// The largest gradient.
    private func moves(_ subject: PerceptionLoss, _ point: SmallLogitBatch) throws -> Float {
        let gradients = try point.gradients(point.report(subject))
        return gradients.rows.indices.flatMap { index in
            View.allCases.flatMap { filled(gradients, index)[$0].map(\.magnitude) }
        }.max() ?? 0
    }

    @Test("A view that isn't wanted costs the others nothing", arguments: Estimator.allCases, View.allCases)
    func unwanted(_ estimator: Estimator, _ view: View) throws {
        let point = SmallLogitBatch()
        let gradients = try point.gradients(point.report(undetectedLoss(estimator)))
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
        let free = filled(try point.gradients(point.report(subject)), 0)
        subject.stopGradient = [view]
        let stopped = filled(try point.gradients(point.report(subject)), 0)
        #expect(stopped[view].allSatisfy { $0 == 0 })
        for other in View.allCases where other != view { #expect(stopped[other] == free[other]) }
    }

    @Test("Sampled tokens need the logits of the wanted view only")
    func oneView() throws {
        let point = SmallLogitBatch()
        let report = try point.report(undetectedLoss(.k3))
        let gradients = try #require(
            report.logitGradients(
                ofTokens: SmallLogitBatch.realised,
                logits: PerView(original: nil, preserving: nil, removing: point.logits.removing)))
        let all = filled(try point.gradients(report), 1)
        #expect(filled(gradients, 1, wanted: [.removing]).removing == all.removing)
    }

    @Test("A slope beyond Float is told", arguments: [Estimator.fullKL, .k2])
    func tooLarge(_ estimator: Estimator) throws {
        let point = SmallLogitBatch()
        var subject = undetectedLoss(estimator)
        subject.gradientScale = 1e200
        let gradients = try point.gradients(point.report(subject))
        var (a, p, n) = ([Float](repeating: 0, count: 5), [Float](), [Float]())
        var toOriginal = a.mutableSpan
        var toPreserving = p.mutableSpan
        var toRemoving = n.mutableSpan
        let isFinite = gradients.fill(
            0, original: &toOriginal, preserving: &toPreserving, removing: &toRemoving)
        #expect(!isFinite)
    }
}
