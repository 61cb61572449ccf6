import ContrastiveLoss
import JSON
import Perception
import Tensor
import TestMaterial
import Testing
import TokenDistribution

@Suite("Logit gradients of sampled-token estimators")
struct LogitGradientGoldenTests {
    static let names = GoldenFolder.names(in: "logit_gradients", ending: ".safetensors")

    @Test("There are golden files for every estimator")
    func files() { #expect(LogitGradientGoldenTests.names.count >= 38) }

    @Test("They agree with autograd in float64 to Float's rounding", arguments: names)
    func golden(_ name: String) throws {
        let file = try Safetensors(parsing: GoldenFolder.bytes(of: "logit_gradients/\(name)"))
        let options = try JSONValue(parsing: try #require(file.metadata["options"]))
        func number(_ name: String) -> Double? { options[name]?.double }
        let temperature = try #require(number("temperature"))
        let loss = PerceptionLoss(
            detector: PerceptionDetector(method: .none), gate: AdvantageGate(method: .none),
            estimator: try #require(options["estimator"]?.string.flatMap(Estimator.init)),
            clamps: Clamps(input: number("clamp_input"), result: number("clamp_result")),
            term: ContrastiveTerm(
                form: try #require(options["loss"]?.string.flatMap(ContrastiveTerm.Form.init)),
                tau: try #require(number("tau"))),
            aggregation: Aggregation(), coefficient: 1,
            stopGradient: Set(
                try #require(options["stop_gradient"]?.array).compactMap(\.string).compactMap(View.init)),
            gradientScale: try #require(number("grad_scale")))

        func logits(_ view: View) throws -> VocabularyLogits {
            VocabularyLogits(
                try #require(file.tensors["\(view.rawValue).logits"]), temperature: temperature)
        }
        let given = PerView(
            original: try logits(.original), preserving: try logits(.preserving),
            removing: try logits(.removing))
        let tokens = try #require(file.tensors["token_ids"]?.integers())
        let mask = try #require(file.tensors["response_mask"]).doubles().map { UInt8($0) }
        func realised(_ logits: VocabularyLogits) -> [Double] {
            tokens.indices.map { logits.logProbabilities(ofRow: $0)[tokens[$0]] }
        }
        let batch = TokenBatch(
            rows: Rows(lengths: [tokens.count]), responseMask: mask, advantages: nil, originalEntropy: nil,
            removingEntropy: nil)
        let report = loss.score(
            batch,
            logProbabilities: PerView(
                original: realised(given.original), preserving: realised(given.preserving),
                removing: realised(given.removing)))
        let gradients = try #require(
            report.logitGradients(
                ofTokens: tokens,
                logits: PerView(
                    original: given.original, preserving: given.preserving, removing: given.removing)))
        #expect(gradients.rows == file.tensors["expect.grad.rows"]?.integers())

        let vocabulary = gradients.vocabulary
        for index in gradients.rows.indices {
            var (a, p, n) = (
                [Float](repeating: .nan, count: vocabulary), [Float](repeating: .nan, count: vocabulary),
                [Float](repeating: .nan, count: vocabulary)
            )
            var toOriginal = a.mutableSpan
            var toPreserving = p.mutableSpan
            var toRemoving = n.mutableSpan
            let isFinite = gradients.fill(
                index, original: &toOriginal, preserving: &toPreserving, removing: &toRemoving)
            #expect(isFinite)
            for (view, found) in [(View.original, a), (.preserving, p), (.removing, n)] {
                let expected = try #require(file.tensors["expect.grad.\(view.rawValue).logits"])
                    .doubles(index * vocabulary..<(index + 1) * vocabulary)
                let largest = expected.map(\.magnitude).max() ?? 0
                for (value, expected) in zip(found, expected) {
                    // The log-probability's own gradient is a Float, and so is its product.
                    #expect(abs(Double(value) - expected) <= 2.4e-7 * largest + 1e-14, "\(view) \(index)")
                }
            }
        }
    }
}
