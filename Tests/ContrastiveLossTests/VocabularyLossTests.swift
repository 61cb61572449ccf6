import ContrastiveLoss
import Perception
import Tensor
import TestMaterial
import Testing
import TokenDistribution

/// Logits of a few tokens as a batch has them, with every gradient taken by central differences of the loss.
private struct SmallBatch {
    static let tokens = 4
    static let vocabulary = 5
    var values: PerView<[Double]>
    var temperature: Double

    init(temperature: Double = 1) {
        var random = SeededGenerator(seed: 11)
        func draw() -> [Double] {
            (0..<SmallBatch.tokens * SmallBatch.vocabulary).map { _ in
                Double.random(in: -2...2, using: &random)
            }
        }
        values = PerView(original: draw(), preserving: draw(), removing: draw())
        self.temperature = temperature
    }

    var logits: PerView<VocabularyLogits> {
        func logits(_ values: [Double]) -> VocabularyLogits {
            VocabularyLogits(
                DenseTensor(values, shape: [SmallBatch.tokens, SmallBatch.vocabulary]),
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
                mask[token] == 1 ? logits.logProbabilities(ofRow: token)[SmallBatch.realised[token]] : .nan
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
                ofTokens: SmallBatch.realised,
                logits: PerView(
                    original: logits.original, preserving: logits.preserving, removing: logits.removing)))
    }
}

private func loss(_ estimator: Estimator) -> PerceptionLoss {
    PerceptionLoss(
        detector: PerceptionDetector(method: .none), gate: AdvantageGate(), estimator: estimator,
        clamps: Clamps(), term: ContrastiveTerm(tau: 0.4),
        aggregation: Aggregation(mode: .sequenceMeanTokenMean),
        coefficient: 0.01)
}

/// Row `index` of the three views, poisoned beforehand so that what isn't written shows.
private func filled(_ gradients: LogitGradients, _ index: Int, wanted: Set<View> = Set(View.allCases))
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

@Suite("Gradients of logits")
struct VocabularyLossTests {
    @Test("They agree with central differences of the loss", arguments: Estimator.allCases, [1, 0.6])
    func differences(_ estimator: Estimator, _ temperature: Double) throws {
        let subject = loss(estimator)
        let point = SmallBatch(temperature: temperature)
        let gradients = try point.gradients(point.report(subject))
        // Token 2 is no response, token 3's gate is closed.
        #expect(gradients.rows == [0, 1] && gradients.vocabulary == SmallBatch.vocabulary)
        let step = 1e-6
        for index in gradients.rows.indices {
            let row = filled(gradients, index)
            for view in View.allCases {
                for entry in 0..<SmallBatch.vocabulary {
                    func moved(_ by: Double) throws -> Double {
                        var moved = point
                        moved.values[view][gradients.rows[index] * SmallBatch.vocabulary + entry] += by
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
    private func moves(_ subject: PerceptionLoss, _ point: SmallBatch) throws -> Float {
        let gradients = try point.gradients(point.report(subject))
        return gradients.rows.indices.flatMap { index in
            View.allCases.flatMap { filled(gradients, index)[$0].map(\.magnitude) }
        }.max() ?? 0
    }

    @Test("A view that isn't wanted costs the others nothing", arguments: Estimator.allCases, View.allCases)
    func unwanted(_ estimator: Estimator, _ view: View) throws {
        let point = SmallBatch()
        let gradients = try point.gradients(point.report(loss(estimator)))
        let all = filled(gradients, 1)
        let alone = filled(gradients, 1, wanted: [view])
        #expect(alone[view] == all[view])
        for other in View.allCases where other != view { #expect(alone[other].isEmpty) }
    }

    @Test(
        "A stopped view has zeros and leaves the others alone", arguments: Estimator.allCases, View.allCases)
    func stopped(_ estimator: Estimator, _ view: View) throws {
        let point = SmallBatch()
        var subject = loss(estimator)
        let free = filled(try point.gradients(point.report(subject)), 0)
        subject.stopGradient = [view]
        let stopped = filled(try point.gradients(point.report(subject)), 0)
        #expect(stopped[view].allSatisfy { $0 == 0 })
        for other in View.allCases where other != view { #expect(stopped[other] == free[other]) }
    }

    @Test("Sampled tokens need the logits of the wanted view only")
    func oneView() throws {
        let point = SmallBatch()
        let report = try point.report(loss(.k3))
        let gradients = try #require(
            report.logitGradients(
                ofTokens: SmallBatch.realised,
                logits: PerView(original: nil, preserving: nil, removing: point.logits.removing)))
        let all = filled(try point.gradients(report), 1)
        #expect(filled(gradients, 1, wanted: [.removing]).removing == all.removing)
    }

    @Test("Without logits the gradients are those of the divergences", arguments: [Estimator.fullKL, .jsd])
    func ofDivergences(_ estimator: Estimator) throws {
        let subject = loss(estimator)
        let batch = SmallBatch().batch
        let given = [(0.5, 0.4), (0.1, 0.3), (.nan, .infinity), (0.2, 0.1)].map(ViewDivergences.init)
        let report = try subject.score(batch, divergences: given)
        guard case .divergences(let slopes) = report.gradient else {
            Issue.record("gradients of something else")
            return
        }
        let step = 1e-6
        for token in [0, 1, 3] {
            var (up, down) = (given, given)
            up[token].preserving += step
            down[token].preserving -= step
            let slope =
                try
                (subject.score(batch, divergences: up).aggregated.loss
                - subject.score(batch, divergences: down).aggregated.loss) / (2 * step)
            #expect(abs(slopes[token].preserving - slope) <= 1e-8)
            #expect(slopes[token].removing == -slopes[token].preserving, "they enter by their difference")
        }
        #expect(slopes[0].preserving > 0 && slopes[3].preserving == 0)
        #expect(slopes[2] == ViewDivergences(preserving: 0, removing: 0))
    }

    @Test("An infinite divergence is refused with its token and view, unless a clamp holds it")
    func infinite() throws {
        let batch = SmallBatch().batch
        var given = [(0.5, 0.4), (0.1, 0.3), (.infinity, 0), (0.2, .infinity)].map(ViewDivergences.init)
        #expect(throws: InfiniteDivergence(token: 3, view: .removing)) {
            try loss(.fullKL).score(batch, divergences: given)
        }
        given[1].preserving = .infinity
        #expect(throws: InfiniteDivergence(token: 1, view: .preserving)) {
            try loss(.fullKL).score(batch, divergences: given)
        }
        var clamped = loss(.fullKL)
        clamped.clamps.result = 10
        let report = try clamped.score(batch, divergences: given)
        #expect(report.margin[1] == 10 - 0.3 && report.isClamped == [false, true, false, true])
        guard case .divergences(let slopes) = report.gradient else {
            Issue.record("gradients of something else")
            return
        }
        #expect(slopes[1].preserving == 0 && slopes[1].removing < 0)
    }

    @Test("A slope beyond Float is told", arguments: [Estimator.fullKL, .k2])
    func tooLarge(_ estimator: Estimator) throws {
        let point = SmallBatch()
        var subject = loss(estimator)
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

    @Test("Interleaved views are contrasted as separate ones are, bit for bit", arguments: Estimator.allCases)
    func interleaved(_ estimator: Estimator) throws {
        let point = SmallBatch(temperature: 0.8)
        let width = SmallBatch.vocabulary
        let together = (0..<SmallBatch.tokens).flatMap { token in
            View.allCases.flatMap { point.values[$0][token * width..<(token + 1) * width] }
        }
        let tensor = DenseTensor(together, shape: [SmallBatch.tokens, 3, width])
        func part(_ index: Int) -> VocabularyLogits {
            VocabularyLogits(tensor, temperature: 0.8, part: index, of: 3)
        }
        let separate = try point.report(loss(estimator))
        let gradients: LogitGradients
        if estimator.needsVocabulary {
            let views = PerView(original: part(0), preserving: part(1), removing: part(2))
            let mask = point.batch.responseMask
            let contrasts = loss(estimator).contrast(views, responseMask: mask)
            #expect(contrasts == loss(estimator).contrast(point.logits, responseMask: mask))
            let report = try loss(estimator).score(
                point.batch,
                divergences: contrasts.map { $0?.divergences ?? ViewDivergences(preserving: 0, removing: 0) },
                logits: views)
            gradients = try point.gradients(report)
        } else {
            gradients = try #require(
                separate.logitGradients(
                    ofTokens: SmallBatch.realised,
                    logits: PerView(original: part(0), preserving: part(1), removing: part(2))))
        }
        for index in gradients.rows.indices {
            #expect(filled(gradients, index) == filled(try point.gradients(separate), index))
        }
    }

    @Test("Views of different element types are scored as their numbers are")
    func mixedTypes() throws {
        var random = SeededGenerator(seed: 5)
        let patterns = (0..<3).map { _ in
            // Exact in bfloat16, and so in every wider type.
            (0..<2 * 37).map { _ in
                UInt16(truncatingIfNeeded: Float.random(in: -4...4, using: &random).bitPattern >> 16)
            }
        }
        func logits(_ patterns: [UInt16], _ type: ElementType) throws -> VocabularyLogits {
            let numbers = patterns.map { Float(bitPattern: UInt32($0) << 16) }
            var writer = SafetensorsWriter()
            let bytes: [UInt8] =
                switch type {
                case .bfloat16: patterns.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
                case .float32:
                    numbers.flatMap { value in (0..<4).map { UInt8(value.bitPattern >> (8 * $0) & 0xFF) } }
                default:
                    numbers.flatMap { value in
                        (0..<8).map { UInt8(Double(value).bitPattern >> UInt64(8 * $0) & 0xFF) }
                    }
                }
            writer.append("z", type, shape: [2, 37], bytes: bytes)
            let file = try Safetensors(parsing: writer.segments().flatMap { $0 })
            return VocabularyLogits(try #require(file.tensors["z"]), temperature: 1)
        }
        func divergences(_ types: [ElementType]) throws -> [ContrastedRows?] {
            loss(.fullKL).contrast(
                PerView(
                    original: try logits(patterns[0], types[0]),
                    preserving: try logits(patterns[1], types[1]),
                    removing: try logits(patterns[2], types[2])), responseMask: [1, 1])
        }
        let wide = try divergences([.float64, .float64, .float64])
        for types in [[ElementType.bfloat16, .float32, .float32], [.float32, .bfloat16, .float64]] {
            for (found, expected) in zip(try divergences(types), wide) {
                let (found, expected) = (
                    try #require(found?.divergences), try #require(expected?.divergences)
                )
                #expect(abs(found.preserving - expected.preserving) <= 1e-12)
                #expect(abs(found.removing - expected.removing) <= 1e-12)
            }
        }
    }
}
