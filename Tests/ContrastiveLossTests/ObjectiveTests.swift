import Batches
import ContrastiveLoss
import Perception
import Testing

@Suite("The objective")
struct ObjectiveTests {
    private func loss(_ estimator: Estimator, _ target: GradientTarget = .objective) -> PerceptionLoss {
        var loss = plainLoss(estimator)
        loss.shape = TokenShape(form: .infonce, tau: 0.4)
        loss.coefficient = 0.3
        loss.entropyCoefficients = PerView(original: 0.7, preserving: 0, removing: -1.25)
        loss.gradientOf = target
        return loss
    }

    private var point: TokenBatch {
        var point = batch(smoothTokens)
        point.sequences = Sequences(lengths: [2, 1])
        return point
    }

    @Test("Entropy terms are the mean of −log-probability over the response, whatever the aggregation")
    func entropy() throws {
        var point = point
        point.responseMask = [1, 0, 1]
        point.logProbabilities.original?[1] = .nan
        point.logProbabilities.removing?[1] = .nan
        for mode in [Aggregation.Mode.tokenMean, .sequenceMeanTokenSum] {
            var subject = loss(.k2)
            subject.aggregation = Aggregation(mode: mode)
            let report = try subject.report(point)
            #expect(report.entropyTerms.map(\.view) == [.original, .removing])
            for term in report.entropyTerms {
                #expect(abs(term.numerator - (term.view == .original ? 0.85 : 1.7)) < 1e-15)
                #expect(term.denominator == 2 + 1e-8 && term.value == term.numerator / term.denominator)
            }
            let sum = report.entropyTerms.reduce(0) { $0 + $1.coefficient * $1.value }
            #expect(abs(report.objective - (0.3 * report.aggregated.loss + sum)) < 1e-15)
            #expect(abs(sum - (0.7 * 0.425 - 1.25 * 0.85)) < 1e-8)
        }
    }

    @Test("Of an empty response there is none, and no gradient of it")
    func emptyResponse() throws {
        var point = point
        point.responseMask = [0, 0, 0]
        let report = try loss(.k3).report(point)
        #expect(report.objective == 0 && report.entropyTerms.allSatisfy { $0.value == 0 })
        #expect(try report.gradient(.removing) == [0, 0, 0])
    }

    @Test("Its gradients agree with central differences of the objective", arguments: sampledEstimators)
    func differences(_ estimator: Estimator) throws {
        var subject = loss(estimator)
        try expectCentralDifferences(of: subject, at: point) { $0.objective }
        subject.terms = []
        try expectCentralDifferences(of: subject, at: point) { $0.objective }
        subject.terms = [Term(.original, .preserving, weight: 1)]
        try expectCentralDifferences(of: subject, at: point) { $0.objective }
    }

    @Test("Gradients of the loss leave coefficients and entropies out", arguments: sampledEstimators)
    func lossAlone(_ estimator: Estimator) throws {
        var bare = plainLoss(estimator)
        bare.shape = TokenShape(form: .infonce, tau: 0.4)
        let (expected, found) = try (bare.report(point), loss(estimator, .loss).report(point))
        for view in View.allCases { #expect(try found.gradient(view) == expected.gradient(view)) }
        #expect(found.objective != expected.objective)
    }

    @Test("Tokens without loss carry the gradients of their entropies")
    func carriers() throws {
        var point = point
        point.responseMask = [1, 1, 0]
        point.perceptionMask = [0, 1, 1]
        var subject = loss(.k3)
        subject.detector.method = .given
        #expect(try subject.report(point).carriers == [1, 1, 0])
        let slope = Float(1.25 / (2 + 1e-8))
        #expect(try subject.report(point).gradient(.removing)[0] == slope)
        #expect(try subject.report(point).gradient(.removing)[2] == 0)
        subject.gradientOf = .loss
        #expect(try subject.report(point).carriers == [0, 1, 0])
        subject.gradientOf = .objective
        subject.entropyCoefficients = PerView(repeating: 0)
        #expect(try subject.report(point).carriers == [0, 1, 0])
    }

    @Test("A stopped view's entropy counts and has no gradient")
    func stopped() throws {
        var subject = loss(.k3)
        let free = try subject.report(point)
        subject.stopGradient = [.removing]
        let stopped = try subject.report(point)
        #expect(stopped.objective == free.objective)
        #expect(try stopped.gradient(.removing) == [0, 0, 0])
        #expect(try stopped.gradient(.original) == free.gradient(.original))
    }

    @Test("Parts from elsewhere join in, with gradient to the original view", arguments: [true, false])
    func parts(_ hasTerms: Bool) throws {
        var subject = loss(.k3)
        if !hasTerms { subject.terms = [] }
        subject.gradientScale = 2
        let bare = try subject.report(point)
        let part = ObjectiveComponent(value: 5, gradient: [0.5, -3, 0.25])
        let found = try subject.report(point, components: [part, part])
        #expect(abs(found.objective - (bare.objective + 10)) < 1e-14)
        for (token, value) in try bare.gradient(.original).enumerated() {
            let expected = Double(value) + 4 * part.gradient[token]
            #expect(abs(Double(try found.gradient(.original)[token]) - expected) < 1e-6)
        }
        #expect(try found.gradient(.removing) == bare.gradient(.removing))
        subject.stopGradient = [.original]
        #expect(try subject.report(point, components: [part]).gradient(.original) == [0, 0, 0])
        subject.stopGradient = []
        subject.gradientOf = .loss
        let ofLoss = try subject.report(point, components: [part])
        #expect(try ofLoss.gradients.logProbabilities == subject.report(point).gradients.logProbabilities)
    }

    @Test("A part is all there is where nothing else is")
    func partAlone() throws {
        var subject = plainLoss(.k3)
        subject.terms = []
        subject.gradientOf = .objective
        let part = ObjectiveComponent(value: -2, gradient: [1, 0, -1])
        let report = try subject.report(point, components: [part])
        #expect(report.objective == -2 && report.carriers == [1, 1, 1])
        #expect(try report.gradient(.original) == [1, 0, -1])
        #expect(report.gradients.logProbabilities.removing == nil)
    }
}
