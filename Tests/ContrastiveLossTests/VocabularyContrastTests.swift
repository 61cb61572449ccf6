import ContrastiveLoss
import Perception
import Tensor
import TestMaterial
import Testing
import TokenDistribution

@Suite("Contrasts of logits")
struct VocabularyContrastTests {
    @Test("Without logits the gradients are those of the divergences", arguments: [Estimator.fullKL, .jsd])
    func ofDivergences(_ estimator: Estimator) throws {
        let subject = undetectedLoss(estimator)
        let batch = SmallLogitBatch().batch
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
        let batch = SmallLogitBatch().batch
        var given = [(0.5, 0.4), (0.1, 0.3), (.infinity, 0), (0.2, .infinity)].map(ViewDivergences.init)
        #expect(throws: InfiniteDivergence(token: 3, view: .removing)) {
            try undetectedLoss(.fullKL).score(batch, divergences: given)
        }
        given[1].preserving = .infinity
        #expect(throws: InfiniteDivergence(token: 1, view: .preserving)) {
            try undetectedLoss(.fullKL).score(batch, divergences: given)
        }
        var clamped = undetectedLoss(.fullKL)
        clamped.clamps.result = 10
        let report = try clamped.score(batch, divergences: given)
        #expect(report.margin[1] == 10 - 0.3 && report.isClamped == [false, true, false, true])
        guard case .divergences(let slopes) = report.gradient else {
            Issue.record("gradients of something else")
            return
        }
        #expect(slopes[1].preserving == 0 && slopes[1].removing < 0)
    }

    @Test("Interleaved views are contrasted as separate ones are, bit for bit", arguments: Estimator.allCases)
    func interleaved(_ estimator: Estimator) throws {
        let point = SmallLogitBatch(temperature: 0.8)
        let width = SmallLogitBatch.vocabulary
        let together = (0..<SmallLogitBatch.tokens).flatMap { token in
            View.allCases.flatMap { point.values[$0][token * width..<(token + 1) * width] }
        }
        let tensor = DenseTensor(together, shape: [SmallLogitBatch.tokens, 3, width])
        func part(_ index: Int) -> VocabularyLogits {
            VocabularyLogits(tensor, temperature: 0.8, part: index, of: 3)
        }
        let separate = try point.report(undetectedLoss(estimator))
        let gradients: LogitGradients
        if estimator.needsVocabulary {
            let views = PerView(original: part(0), preserving: part(1), removing: part(2))
            let mask = point.batch.responseMask
            let contrasts = undetectedLoss(estimator).contrast(views, responseMask: mask)
            #expect(contrasts == undetectedLoss(estimator).contrast(point.logits, responseMask: mask))
            let report = try undetectedLoss(estimator).score(
                point.batch,
                divergences: contrasts.map { $0?.divergences ?? ViewDivergences(preserving: 0, removing: 0) },
                logits: views)
            gradients = try point.gradients(report)
        } else {
            gradients = try #require(
                separate.logitGradients(
                    ofTokens: SmallLogitBatch.realised,
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
            undetectedLoss(.fullKL).contrast(
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
