import Batches
import ContrastiveLoss
import Testing

@Suite("Cap of the loss")
struct LossCapTests {
    private func loss(_ cap: Double?, weight: Double = -1) -> PerceptionLoss {
        var loss = plainLoss(.k1)
        loss.terms = [Term(.original, .removing, weight: weight)]
        loss.shape = TokenShape(form: .margin)
        loss.aggregation = Aggregation(mode: .tokenSum, denominator: 2)
        loss.cap = cap
        loss.coefficient = 0.5
        return loss
    }

    /// Σ d = 1.5 in exact numbers: the loss is ∓0.75.
    private let point = batch(
        PerView(original: [0, 0], preserving: [0, 0], removing: [-0.5, -1]))

    @Test("Within it, and at exactly it, nothing changes", arguments: [nil, 1, 0.75, .infinity] as [Double?])
    func within(_ cap: Double?) throws {
        let report = try loss(cap).report(point)
        #expect(report.aggregated.loss == -0.75 && !report.isCapped && report.objective == -0.375)
        #expect(try report.gradient(.removing) == [0.5, 0.5])
    }

    @Test("Beyond it the loss is the cap, on either side, and passes no gradient", arguments: [1, -1.0])
    func beyond(_ weight: Double) throws {
        let report = try loss(0.7, weight: weight).report(point)
        #expect(report.isCapped && report.aggregated.loss == 0.7 * weight)
        #expect(report.aggregated.numerator == 1.5 * weight && report.aggregated.denominator == 2)
        #expect(report.objective == 0.35 * weight)
        #expect(report.tokenLoss == [0.5 * weight, weight])
        for view in [View.original, .removing] {
            let gradient = try report.gradient(view)
            #expect(gradient.map(\.bitPattern) == [0, 0], "zeros without a sign")
        }
    }

    @Test("What the objective adds keeps its gradient")
    func objective() throws {
        var subject = loss(0.7)
        subject.gradientOf = .objective
        subject.entropyCoefficients.removing = 0.25
        let report = try subject.report(point)
        #expect(report.isCapped)
        #expect(abs(report.objective - (-0.35 + 0.25 * 0.75)) < 1e-8)
        let expected = Float(-0.25 / (2 + 1e-8))
        #expect(try report.gradient(.removing) == [expected, expected])
        #expect(try report.gradient(.original) == [0, 0])
    }

    @Test("A loss that overflowed is held as well", arguments: TokenShape.Form.allCases)
    func infinite(_ form: TokenShape.Form) throws {
        var subject = loss(0.7, weight: 1)
        subject.estimator = .k3
        subject.shape = TokenShape(form: form)
        let report = try subject.report(
            batch(PerView(original: [-800, -1], preserving: [0, 0], removing: [0, -1.5])))
        #expect(report.isCapped && report.aggregated.loss == 0.7 && report.aggregated.numerator == .infinity)
        #expect(try report.gradient(.original) == [0, 0])
        #expect(try report.gradient(.removing) == [0, 0])
    }

    @Test("So is one over the vocabulary")
    func vocabulary() throws {
        var subject = loss(0.7)
        subject.estimator = .fullKL
        var point = point
        let pair = ViewPair(anchor: .original, reference: .removing)
        point.divergences = [0.5, 1].map {
            var values = PairValues()
            values[pair] = $0
            return values
        }
        let capped = try subject.report(point)
        #expect(capped.isCapped && capped.aggregated.loss == -0.7 && capped.aggregated.numerator == -1.5)
        #expect(capped.gradients.divergences == [PairValues(), PairValues()])
        subject.cap = 0.75
        let free = try subject.report(point)
        #expect(!free.isCapped && free.gradients.divergences?.map { $0[pair] } == [-0.5, -0.5])
    }
}
