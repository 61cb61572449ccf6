import Batches
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
    static let realised = [4, 0, 99, 2]
    var values: PerView<[Double]>
    var temperature: Double
    /// [1, 1, 0, 1]: token 2 is no response.
    let responseMask: [UInt8] = [1, 1, 0, 1]

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

    var logits: PerView<VocabularyLogits?> {
        PerView { view in
            VocabularyLogits(
                DenseTensor(values[view], shape: [SmallLogitBatch.tokens, SmallLogitBatch.vocabulary]),
                temperature: temperature)
        }
    }

    /// Without divergences. Token 3's advantage is negative.
    var batch: TokenBatch {
        var batch = TokenBatch(sequences: Sequences(lengths: [1, 3]), responseMask: responseMask)
        batch.advantages = [1, 1, 1, -1]
        let logits = logits
        batch.logProbabilities = PerView { view in
            TokenNumbers(
                responseMask.indices.map { token in
                    guard responseMask[token] == 1, let logits = logits[view] else { return .nan }
                    return logits.obviousLogProbabilities(ofRow: token)[SmallLogitBatch.realised[token]]
                })
        }
        return batch
    }

    /// What `loss` contrasts over the vocabulary; nil for an estimate from realised tokens.
    func contrast(_ loss: PerceptionLoss) -> VocabularyContrast? {
        loss.estimator.divergence.map {
            VocabularyContrast($0, pairs: loss.needs(hasOld: false).pairs, temperature: temperature)
        }
    }

    func report(_ loss: PerceptionLoss, _ logits: PerView<VocabularyLogits?>? = nil) throws -> LossReport {
        var batch = batch
        if let contrast = contrast(loss) {
            batch.divergences = contrast.readings(logits ?? self.logits, responseMask).map {
                $0?.divergences ?? PairValues()
            }
        }
        return try loss.report(batch)
    }

    /// - Parameter tokenViews: views whose log-probabilities are those of their logits.
    func gradients(
        _ loss: PerceptionLoss, _ report: LossReport, _ logits: PerView<VocabularyLogits?>? = nil,
        tokenViews: Set<View> = Set(View.allCases), stopped: Set<View>? = nil
    ) throws -> LogitGradients {
        try #require(
            LogitGradients(
                report, tokenIDs: SmallLogitBatch.realised, logits: logits ?? self.logits,
                tokenViews: tokenViews, contrast: contrast(loss), stopped: stopped ?? loss.stopGradient))
    }

    func gradients(_ loss: PerceptionLoss) throws -> LogitGradients { try gradients(loss, report(loss)) }
}

extension VocabularyContrast {
    /// What all response tokens' rows say, for whoever waits for it.
    func readings(_ logits: PerView<VocabularyLogits?>, _ responseMask: [UInt8]) -> [Reading?] {
        guard let readings = read(logits, responseMask: responseMask, while: { true }) else {
            preconditionFailure("work that is wanted is not ended")
        }
        return readings
    }
}

/// The mean of each row, then of the rows, over response tokens whose advantage is positive: no detector, no clamps.
func undetectedLoss(_ estimator: Estimator, terms: [Term] = Term.contrastive) -> PerceptionLoss {
    PerceptionLoss(
        detector: PerceptionDetector(method: .none), gate: Gate(), terms: terms, estimator: estimator,
        clamps: Clamps(), shape: TokenShape(tau: 0.4),
        aggregation: Aggregation(mode: .sequenceMeanTokenMean), coefficient: 0.01)
}

/// Row `index` of the views as BF16.
func filledBFloat16(_ gradients: LogitGradients, _ index: Int, _ views: [View]) -> PerView<[UInt16]> {
    let width = gradients.vocabulary
    var memory = [UInt16](repeating: 0xABCD, count: 3 * width)
    let isFinite = unsafe memory.withUnsafeMutableBytes { memory in
        gradients.fill(
            index,
            PerView { view in
                guard views.contains(view) else { return .none }
                let start = 2 * view.index * width
                let row = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[start..<start + 2 * width])
                return unsafe RowOutput(row, as: .bfloat16)
            })
    }
    #expect(isFinite)
    return PerView { view in
        views.contains(view) ? Array(memory[view.index * width..<(view.index + 1) * width]) : []
    }
}

/// Row `index` of the views, poisoned beforehand so that what isn't written shows; empty for those that aren't wanted.
func filled(
    _ gradients: LogitGradients, _ index: Int, wanted: Set<View> = Set(View.allCases), isFinite: Bool = true
) -> PerView<[Float]> {
    let width = gradients.vocabulary
    var memory = [Float](repeating: .nan, count: 3 * width)
    let found = unsafe memory.withUnsafeMutableBufferPointer { memory in
        gradients.fill(
            index,
            PerView { view in
                guard wanted.contains(view) else { return .none }
                let start = view.index * width
                return unsafe RowOutput(UnsafeMutableBufferPointer(rebasing: memory[start..<start + width]))
            })
    }
    #expect(found == isFinite)
    return PerView { view in
        let row = Array(memory[view.index * width..<(view.index + 1) * width])
        guard wanted.contains(view) else {
            #expect(row.allSatisfy { $0.isNaN }, "what isn't wanted is left alone")
            return []
        }
        return row
    }
}
