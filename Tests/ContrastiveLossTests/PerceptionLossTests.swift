import ContrastiveLoss
import Perception
import Testing

/// method: token-mean over all four tokens, no detector, no gate.
private func loss(_ estimator: Estimator, clamps: Clamps = Clamps()) -> PerceptionLoss {
    PerceptionLoss(
        detector: PerceptionDetector(method: .none), gate: AdvantageGate(method: .none), estimator: estimator,
        clamps: clamps, term: ContrastiveTerm(), aggregation: Aggregation(), coefficient: 0.01)
}

private let views = PerView(
    original: [-0.3, -1.2, -0.05, -2], preserving: [-0.4, -1, -0.06, -2.5], removing: [-1.8, -1.1, -0.9, -14])

private func batch(_ count: Int) -> TokenBatch {
    TokenBatch(
        rows: Rows(lengths: [count]), responseMask: [UInt8](repeating: 1, count: count), advantages: nil,
        originalEntropy: nil, removingEntropy: nil)
}

private func gradients(_ report: LossReport) throws -> PerView<[Float]> {
    guard case .logProbabilities(let gradients) = report.gradient else {
        throw GoldenMismatch()
    }
    return gradients
}

private struct GoldenMismatch: Error {}

@Suite struct GoldenLossTests {
    @Test(arguments: [
        (Estimator.k1, [-1.4, -0.1, -0.84, -11.5], [8.3152837e-7, 0.31326169, 2.2484205e-4, 0], 0.07837184),
        (
            .k3, [-0.71829274, 0.01623184, -0.27736510, -9.89346934],
            [7.5915315e-4, 0.77759618, 0.06056217, 0],
            0.20972937
        ),
        (.k2, [-1.12, 0.015, -0.3612, -71.875], [1.3674e-5, 0.77095705, 0.02663979, 0], 0.19940263),
    ])
    func `margins, token losses and loss`(
        estimator: Estimator, margins: [Double], losses: [Double], total: Double
    ) {
        // The published k3 values have its clamps: e^12 − 13 is cut to 10.
        let clamps = estimator == .k3 ? Clamps(input: 20, result: 10) : Clamps()
        let report = loss(estimator, clamps: clamps).score(batch(4), logProbabilities: views)
        for token in 0..<4 {
            #expect(abs(report.margin[token] - margins[token]) < 6e-9)
            #expect(abs(report.tokenLoss[token] - losses[token]) < 6e-9)
        }
        #expect(abs(report.aggregated.loss - total) < 6e-9)
    }

    @Test func `k1 cancels the anchor`() throws {
        let gradient = try gradients(loss(.k1).score(batch(4), logProbabilities: views))
        #expect(gradient.original == [0, 0, 0, 0])
        let golden = [-2.0788e-6, -0.67235355, -5.6204e-4, 0]
        for token in 0..<4 {
            #expect(abs(Double(gradient.preserving[token]) - golden[token]) < 6e-8)
            #expect(gradient.removing[token] == -gradient.preserving[token])
        }
        let clamped = loss(.k1, clamps: Clamps(result: 10)).score(batch(4), logProbabilities: views)
        #expect(abs(clamped.margin[3] - -9.5) < 1e-12 && clamped.isClamped == [false, false, false, true])
    }

    @Test func `k3 gradients are the golden ones`() throws {
        let report = loss(.k3, clamps: Clamps(input: 20, result: 10)).score(batch(4), logProbabilities: views)
        let gradient = try gradients(report)
        let golden = PerView(
            original: [-0.00129331, -0.15705558, -0.08265774, 0],
            preserving: [-1.8054e-4, 0.29916535, -0.00146180, 0],
            removing: [0.00147385, -0.14210977, 0.08411954, 0])
        for view in View.allCases {
            for token in 0..<4 { #expect(abs(Double(gradient[view][token]) - golden[view][token]) < 3e-8) }
        }
        // The far estimate of token 4 is clamped: no gradient for its removing view.
        #expect(gradient.removing[3] == 0)
    }
}

@Suite struct GradientTests {
    @Test(arguments: [Estimator.k1, .abs, .k2, .k3], [ContrastiveTerm.Form.infonce, .margin])
    func `gradients agree with central differences`(estimator: Estimator, form: ContrastiveTerm.Form) throws {
        var subject = loss(estimator)
        subject.term = ContrastiveTerm(form: form, tau: 0.3)
        subject.aggregation = Aggregation(mode: .sequenceMeanTokenMean)
        let point = PerView(
            original: [-0.3, -1.2, -0.55], preserving: [-0.4, -1, -0.36], removing: [-0.8, -1.15, -0.9])
        let gradient = try gradients(subject.score(batch(3), logProbabilities: point))
        let step = 1e-6
        for view in View.allCases {
            for token in 0..<3 {
                var up = point
                var down = point
                up[view][token] += step
                down[view][token] -= step
                let slope =
                    (subject.score(batch(3), logProbabilities: up).aggregated.loss
                        - subject.score(batch(3), logProbabilities: down).aggregated.loss) / (2 * step)
                #expect(abs(slope - Double(gradient[view][token])) < 2e-7 * max(1, abs(slope)))
            }
        }
    }

    @Test func `a stopped view has no gradient and leaves the others alone`() throws {
        var subject = loss(.k2)
        let free = try gradients(subject.score(batch(4), logProbabilities: views))
        subject.stopGradient = [.original, .removing]
        subject.gradientScale = 3
        let stopped = try gradients(subject.score(batch(4), logProbabilities: views))
        #expect(stopped.original == [0, 0, 0, 0] && stopped.removing == [0, 0, 0, 0])
        #expect(
            stopped.preserving.map { $0 / 3 }.elementsEqual(free.preserving) {
                abs($0 - $1) <= 1e-7 * abs($1)
            })
        #expect(free.original[1] != 0)
    }
}

@Suite struct AggregationTests {
    let rows = Rows(lengths: [3, 2, 1])
    let losses: [Double] = [1, 2, 4, 8, 16, 32]
    let mask: [UInt8] = [1, 0, 1, 1, 1, 0]

    struct Expectation: Sendable {
        var aggregation: Aggregation
        var loss: Double
        var numerator: Double
        var denominator: Double
    }

    static let expectations: [Expectation] = [
        Expectation(aggregation: Aggregation(), loss: 7.25, numerator: 29, denominator: 4),
        Expectation(
            aggregation: Aggregation(mode: .sequenceMeanTokenSum), loss: 9.666_666_667, numerator: 29,
            denominator: 3),
        Expectation(
            aggregation: Aggregation(mode: .sequenceMeanTokenMean), loss: 4.833_333_333, numerator: 14.5,
            denominator: 3),
        Expectation(
            aggregation: Aggregation(mode: .sequenceMeanTokenSumNorm), loss: 3.222_222_222,
            numerator: 9.666_666_667, denominator: 3),
        Expectation(
            aggregation: Aggregation(mode: .sequenceMeanTokenSumNorm, normLength: 10), loss: 0.966_666_667,
            numerator: 2.9, denominator: 3),
        Expectation(
            aggregation: Aggregation(mode: .sequenceMeanTokenSum, globalBatchSize: 29), loss: 1,
            numerator: 29,
            denominator: 29),
    ]

    @Test(arguments: expectations)
    func `each mode divides by what its name says`(expected: Expectation) {
        let result = expected.aggregation.aggregate(losses: losses, mask: mask, rows: rows)
        #expect(abs(result.loss - expected.loss) < 2e-7)
        #expect(abs(result.numerator - expected.numerator) < 2e-7)
        #expect(abs(result.denominator - expected.denominator) < 2e-8)
    }

    @Test(arguments: Aggregation.Mode.allCases)
    func `an empty batch has loss zero`(mode: Aggregation.Mode) {
        let result = Aggregation(mode: mode).aggregate(losses: [], mask: [], rows: Rows(lengths: []))
        #expect(result.loss == 0 && result.numerator == 0)
    }
}
