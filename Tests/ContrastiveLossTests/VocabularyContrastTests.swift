import ContrastiveLoss
import Tensor
import TestMaterial
import Testing
import TokenDistribution

@Suite("Contrasts of logits")
struct VocabularyContrastTests {
    @Test("Interleaved views are contrasted as separate ones are, bit for bit", arguments: Estimator.allCases)
    func interleaved(_ estimator: Estimator) throws {
        let point = SmallLogitBatch(temperature: 0.8)
        let width = SmallLogitBatch.vocabulary
        let together = (0..<SmallLogitBatch.tokens).flatMap { token in
            View.allCases.flatMap { point.values[$0][token * width..<(token + 1) * width] }
        }
        let tensor = DenseTensor(together, shape: [SmallLogitBatch.tokens, 3, width])
        let slices = PerView<VocabularyLogits?> {
            VocabularyLogits(tensor, temperature: 0.8, slice: $0.index, of: 3)
        }
        for terms in termLists {
            let subject = undetectedLoss(estimator, terms: terms)
            let (separate, joined) = try (point.report(subject), point.report(subject, slices))
            #expect(joined.tokenLoss == separate.tokenLoss)
            if let contrast = point.contrast(subject) {
                #expect(
                    contrast.readings(slices, point.responseMask)
                        == contrast.readings(point.logits, point.responseMask))
            }
            let gradients = try point.gradients(subject, joined, slices)
            for index in gradients.rows.indices {
                #expect(filled(gradients, index) == filled(try point.gradients(subject, separate), index))
            }
        }
    }

    @Test("Every pair is that of its two rows, in order", arguments: vocabularyEstimators)
    func pairs(_ estimator: Estimator) throws {
        let point = SmallLogitBatch()
        let divergence = try #require(estimator.divergence)
        for pairs in [Set(ViewPair.all), [ViewPair(anchor: .removing, reference: .original)]] {
            let contrast = VocabularyContrast(divergence, pairs: pairs, temperature: 1)
            let readings = contrast.readings(point.logits, point.responseMask)
            for token in 0..<SmallLogitBatch.tokens {
                guard point.responseMask[token] == 1 else {
                    #expect(readings[token] == nil)
                    continue
                }
                let found = try #require(readings[token]?.divergences)
                for pair in ViewPair.all {
                    let (anchor, reference) = (
                        try #require(point.logits[pair.anchor]), try #require(point.logits[pair.reference])
                    )
                    let twin = divergence.value(
                        anchor: anchor.obviousLogProbabilities(ofRow: token),
                        reference: reference.obviousLogProbabilities(ofRow: token))
                    #expect(abs(found[pair] - (pairs.contains(pair) ? twin : 0)) <= 1e-14)
                }
            }
        }
    }

    @Test("Only the views of pairs and others are read; an undefined row leaves no divergence")
    func outcomes() throws {
        var point = SmallLogitBatch()
        point.values.original[7] = .nan
        let pairs: Set<ViewPair> = [ViewPair(anchor: .preserving, reference: .removing)]
        let alone = VocabularyContrast(.jensenShannon, pairs: pairs, temperature: 1)
        #expect(alone.views == [.preserving, .removing])
        var logits = point.logits
        logits.original = nil
        let read = try #require(alone.readings(logits, point.responseMask)[1])
        #expect(read.outcomes.original == nil && read.divergences != nil)
        let beside = VocabularyContrast(.jensenShannon, pairs: pairs, temperature: 1, others: [.original])
        let poisoned = beside.readings(point.logits, point.responseMask)
        #expect(poisoned[1]?.outcomes.original == .notANumber && poisoned[1]?.divergences == nil)
        #expect(poisoned[1]?.outcomes.removing == read.outcomes.removing)
        #expect(poisoned[0]?.divergences == alone.readings(logits, point.responseMask)[0]?.divergences)
        for view in View.allCases {
            #expect(poisoned[0]?.outcomes[view] == point.logits[view]?.statistics(ofRow: 0))
        }
    }

    @Test("Work that nobody wants is ended")
    func unwanted() {
        let point = SmallLogitBatch()
        let contrast = VocabularyContrast(
            .kullbackLeibler, pairs: Set(ViewPair.all), temperature: 1)
        #expect(contrast.read(point.logits, responseMask: point.responseMask, while: { false }) == nil)
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
        let contrast = VocabularyContrast(.jeffreys, pairs: Set(ViewPair.all), temperature: 1)
        func readings(_ types: [ElementType]) throws -> [VocabularyContrast.Reading?] {
            contrast.readings(
                PerView(
                    original: try logits(patterns[0], types[0]),
                    preserving: try logits(patterns[1], types[1]),
                    removing: try logits(patterns[2], types[2])), [1, 1])
        }
        let wide = try readings([.float64, .float64, .float64])
        for types in [[ElementType.bfloat16, .float32, .float32], [.float32, .bfloat16, .float64]] {
            for (found, expected) in zip(try readings(types), wide) {
                let (found, expected) = (
                    try #require(found?.divergences), try #require(expected?.divergences)
                )
                for pair in ViewPair.all {
                    #expect(abs(found[pair] - expected[pair]) <= 1e-12 && found[pair] > 0)
                }
            }
        }
    }
}
