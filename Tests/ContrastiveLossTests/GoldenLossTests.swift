import ContrastiveLoss
import Testing

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
    func `contrasts, token losses and loss`(
        estimator: Estimator, contrasts: [Double], losses: [Double], total: Double
    ) throws {
        // The published k3 values have its clamps: e^12 − 13 is cut to 10.
        let clamps = estimator == .k3 ? Clamps(input: 20, result: 10) : Clamps()
        let report = try plainLoss(estimator, clamps: clamps).report(batch(fourTokens))
        for token in 0..<4 {
            #expect(abs(report.contrast[token] - contrasts[token]) < 6e-9)
            #expect(abs(report.tokenLoss[token] - losses[token]) < 6e-9)
        }
        #expect(abs(report.aggregated.loss - total) < 6e-9)
    }

    @Test func `k1 cancels the anchor`() throws {
        let report = try plainLoss(.k1).report(batch(fourTokens))
        #expect(try report.gradient(.original) == [0, 0, 0, 0])
        let golden = [-2.0788e-6, -0.67235355, -5.6204e-4, 0]
        let (preserving, removing) = try (report.gradient(.preserving), report.gradient(.removing))
        for token in 0..<4 {
            #expect(abs(Double(preserving[token]) - golden[token]) < 6e-8)
            #expect(removing[token] == -preserving[token])
        }
        let clamped = try plainLoss(.k1, clamps: Clamps(result: 10)).report(batch(fourTokens))
        #expect(abs(clamped.contrast[3] - -9.5) < 1e-12)
        #expect(clamped.isClamped == [false, false, false, true])
    }

    @Test func `k3 gradients are the golden ones`() throws {
        let report = try plainLoss(.k3, clamps: Clamps(input: 20, result: 10)).report(batch(fourTokens))
        let golden = PerView(
            original: [-0.00129331, -0.15705558, -0.08265774, 0],
            preserving: [-1.8054e-4, 0.29916535, -0.00146180, 0],
            removing: [0.00147385, -0.14210977, 0.08411954, 0])
        for view in View.allCases {
            let gradient = try report.gradient(view)
            for token in 0..<4 { #expect(abs(Double(gradient[token]) - golden[view][token]) < 3e-8) }
        }
        // The far estimate of token 4 is clamped: no gradient for its removing view.
        #expect(try report.gradient(.removing)[3] == 0)
    }
}
