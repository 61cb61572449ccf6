import ContrastiveLoss
import Perception
import Tensor
import TestMaterial
import Testing
import TokenDistribution

/// Logits of a few tokens as a batch has them, drawn once; losses move by one logit.
struct SmallLogitBatch {
    static let tokens = 4
    static let vocabulary = 5
    var values: PerView<[Double]>
    var temperature: Double

    init(temperature: Double = 1) {
        var random = SeededGenerator(seed: 11)
        func draw() -> [Double] {
            (0..<SmallLogitBatch.tokens * SmallLogitBatch.vocabulary).map { _ in
                Double.random(in: -2...2, using: &random)
            }
        }
        values = PerView(original: draw(), preserving: draw(), removing: draw())
        self.temperature = temperature
    }

    var logits: PerView<VocabularyLogits> {
        func logits(_ values: [Double]) -> VocabularyLogits {
            VocabularyLogits(
                DenseTensor(values, shape: [SmallLogitBatch.tokens, SmallLogitBatch.vocabulary]),
                temperature: temperature)
        }
        return PerView(
            original: logits(values.original), preserving: logits(values.preserving),
            removing: logits(values.removing))
    }

    var batch: TokenBatch {
        TokenBatch(
            rows: Rows(lengths: [1, 3]), responseMask: [1, 1, 0, 1], advantages: [1, 1, 1, -1],
            originalEntropy: nil, removingEntropy: nil)
    }

    static let realised = [4, 0, 99, 2]

    func report(_ loss: PerceptionLoss) throws -> LossReport {
        let mask = batch.responseMask
        if loss.estimator.needsVocabulary {
            return try loss.score(
                batch,
                divergences: loss.contrast(logits, responseMask: mask).map {
                    $0?.divergences ?? ViewDivergences(preserving: .nan, removing: .nan)
                }, logits: logits)
        }
        func realised(_ logits: VocabularyLogits) -> [Double] {
            mask.indices.map { token in
                mask[token] == 1
                    ? logits.logProbabilities(ofRow: token)[SmallLogitBatch.realised[token]] : .nan
            }
        }
        let logits = logits
        return loss.score(
            batch,
            logProbabilities: PerView(
                original: realised(logits.original), preserving: realised(logits.preserving),
                removing: realised(logits.removing)))
    }

    func gradients(_ report: LossReport) throws -> LogitGradients {
        if case .logits(let gradients) = report.gradient { return gradients }
        return try #require(
            report.logitGradients(
                ofTokens: SmallLogitBatch.realised,
                logits: PerView(
                    original: logits.original, preserving: logits.preserving, removing: logits.removing)))
    }
}

/// The mean of each row, then of the rows, over response tokens whose advantage is positive: no detector, no clamps.
func undetectedLoss(_ estimator: Estimator) -> PerceptionLoss {
    PerceptionLoss(
        detector: PerceptionDetector(method: .none), gate: AdvantageGate(), estimator: estimator,
        clamps: Clamps(), term: ContrastiveTerm(tau: 0.4),
        aggregation: Aggregation(mode: .sequenceMeanTokenMean),
        coefficient: 0.01)
}

/// Row `index` of the three views, poisoned beforehand so that what isn't written shows.
func filled(_ gradients: LogitGradients, _ index: Int, wanted: Set<View> = Set(View.allCases))
    -> PerView<
        [Float]
    >
{
    func room(_ view: View) -> [Float] {
        [Float](repeating: .nan, count: wanted.contains(view) ? gradients.vocabulary : 0)
    }
    var (a, p, n) = (room(.original), room(.preserving), room(.removing))
    var toOriginal = a.mutableSpan
    var toPreserving = p.mutableSpan
    var toRemoving = n.mutableSpan
    let isFinite = gradients.fill(
        index, original: &toOriginal, preserving: &toPreserving, removing: &toRemoving)
    #expect(isFinite)
    return PerView(original: a, preserving: p, removing: n)
}
