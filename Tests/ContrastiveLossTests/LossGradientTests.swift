import Batches
import ContrastiveLoss
import Testing

@Suite struct LossGradientTests {
    @Test(arguments: sampledEstimators, TokenShape.Form.allCases)
    func `gradients agree with central differences`(estimator: Estimator, form: TokenShape.Form) throws {
        for terms in termLists {
            var subject = plainLoss(estimator)
            subject.terms = terms
            subject.shape = TokenShape(form: form, tau: 0.3)
            subject.aggregation = Aggregation(mode: .sequenceMeanTokenMean)
            try expectCentralDifferences(of: subject, at: batch(smoothTokens)) { $0.aggregated.loss }
        }
    }

    @Test(arguments: Aggregation.Mode.allCases)
    func `they do under every aggregation`(mode: Aggregation.Mode) throws {
        var point = batch(smoothTokens)
        point.sequences = .init(lengths: [2, 1])
        var subject = plainLoss(.k3)
        subject.aggregation = Aggregation(mode: mode, normLength: 9, denominator: 3.5)
        try expectCentralDifferences(of: subject, at: point) { $0.aggregated.loss }
    }

    @Test func `a stopped view has no gradient and leaves the others alone`() throws {
        var subject = plainLoss(.k2)
        let free = try subject.report(batch(fourTokens))
        subject.stopGradient = [.original, .removing]
        subject.gradientScale = 4
        let stopped = try subject.report(batch(fourTokens))
        #expect(try stopped.gradient(.original) == [0, 0, 0, 0])
        #expect(try stopped.gradient(.removing) == [0, 0, 0, 0])
        // A power of two changes no digit.
        #expect(try stopped.gradient(.preserving).map { $0 / 4 } == free.gradient(.preserving))
        #expect(try free.gradient(.original)[1] != 0)
        #expect(stopped.aggregated == free.aggregated)
    }

    @Test func `views that no term names have no gradient, nor are they read`() throws {
        var subject = plainLoss(.k3)
        subject.terms = [Term(.original, .removing, weight: -1)]
        var point = batch(fourTokens)
        point.logProbabilities.preserving = nil
        let report = try subject.report(point)
        #expect(report.gradients.logProbabilities.preserving == nil)
        #expect(try report.gradient(.original).contains { $0 != 0 })
        #expect(try report.gradient(.removing).contains { $0 != 0 })
    }

    @Test func `the contrast is the weighted sum of its terms`() throws {
        for estimator in sampledEstimators {
            func contrast(_ terms: [Term]) throws -> [Double] {
                var subject = plainLoss(estimator)
                subject.terms = terms
                return try subject.report(batch(fourTokens)).contrast
            }
            let terms = termLists[2]
            let parts = try terms.map { try contrast([$0]) }
            for (token, value) in try contrast(terms).enumerated() {
                let sum = parts.reduce(0) { $0 + $1[token] }
                let size = parts.reduce(0) { $0 + abs($1[token]) }
                #expect(abs(value - sum) <= 1e-15 * size)
            }
        }
    }

    @Test(arguments: [Estimator.k3, .fullKL])
    func `without terms there is no loss`(estimator: Estimator) throws {
        var subject = plainLoss(estimator)
        subject.terms = []
        let report = try subject.report(batch(fourTokens))
        #expect(report.aggregated.loss == 0 && report.aggregated.numerator == 0)
        #expect(report.aggregated.denominator == 1 && report.objective == 0)
        #expect(report.tokenLoss.isEmpty && report.contrast.isEmpty && report.isClamped.isEmpty)
        #expect(View.allCases.allSatisfy { report.gradients.logProbabilities[$0] == nil })
    }
}
