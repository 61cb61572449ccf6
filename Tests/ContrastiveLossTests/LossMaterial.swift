import Batches
import ContrastiveLoss
import Perception
import Testing

// A loss over all tokens of one sequence, no detector, no gate; and four tokens with published values.

func plainLoss(_ estimator: Estimator, clamps: Clamps = Clamps()) -> PerceptionLoss {
    PerceptionLoss(
        detector: PerceptionDetector(method: .none), gate: Gate(method: .none), estimator: estimator,
        clamps: clamps, shape: TokenShape(), coefficient: 0.01)
}

let fourTokens = PerView(
    original: [-0.3, -1.2, -0.05, -2], preserving: [-0.4, -1, -0.06, -2.5], removing: [-1.8, -1.1, -0.9, -14])

/// Three tokens far from every kink of an estimator.
let smoothTokens = PerView(
    original: [-0.3, -1.2, -0.55], preserving: [-0.4, -1, -0.36], removing: [-0.8, -1.15, -0.9])

func batch(_ views: PerView<[Double]>) -> TokenBatch {
    let count = views.original.count
    var batch = TokenBatch(
        sequences: Sequences(lengths: [count]), responseMask: [UInt8](repeating: 1, count: count))
    batch.logProbabilities = views.numbers
    return batch
}

extension PerceptionLoss {
    /// Selects and scores.
    func report(_ batch: TokenBatch, components: [ObjectiveComponent] = []) throws -> LossReport {
        try score(batch, select(in: batch), components: components)
    }
}

extension LossReport {
    /// ∂/∂(log-probability) of views that must have it.
    func gradient(_ view: View) throws -> [Float] { Array(try #require(gradients.logProbabilities[view])) }
}

/// Compares every gradient of `loss` with a central difference of `value`.
func expectCentralDifferences(
    of loss: PerceptionLoss, at point: TokenBatch, components: [ObjectiveComponent] = [],
    _ value: (LossReport) -> Double
) throws {
    let report = try loss.report(point, components: components)
    let step = 1e-6
    var largest = 0.0
    for view in View.allCases {
        guard let gradient = report.gradients.logProbabilities[view] else { continue }
        for token in 0..<point.sequences.tokens where point.responseMask[token] == 1 {
            func moved(_ by: Double) throws -> Double {
                var moved = point
                moved.logProbabilities[view]?[token] += by
                return value(try loss.report(moved, components: components))
            }
            let slope = try (moved(step) - moved(-step)) / (2 * step)
            #expect(abs(slope - Double(gradient[token])) < 3e-7 * max(1, abs(slope)), "\(view) \(token)")
            largest = max(largest, abs(slope))
        }
    }
    #expect(largest > 1e-4, "a value that depends on nothing would pass too")
}
