import Batches
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
            detector: PerceptionDetector(method: .none), gate: Gate(method: .none),
            estimator: try #require(options["estimator"]?.string.flatMap(Estimator.init)),
            clamps: Clamps(input: number("clamp_input"), result: number("clamp_result")),
            shape: TokenShape(
                form: try #require(options["loss"]?.string.flatMap(TokenShape.Form.init)),
                tau: try #require(number("tau"))),
            coefficient: 1,
            stopGradient: Set(
                try #require(options["stop_gradient"]?.array).compactMap(\.string).compactMap(View.init)),
            gradientScale: try #require(number("grad_scale")))

        let given = try PerView<VocabularyLogits?> { view in
            VocabularyLogits(
                try #require(file.tensors["\(view.rawValue).logits"]), temperature: temperature)
        }
        let tokens = try #require(file.tensors["token_ids"]?.integers())
        let mask = try #require(file.tensors["response_mask"]).doubles().map { UInt8($0) }
        var batch = TokenBatch(sequences: Sequences(lengths: [tokens.count]), responseMask: mask)
        batch.logProbabilities = PerView { view in
            given[view].map { logits in
                TokenNumbers(tokens.indices.map { logits.obviousLogProbabilities(ofRow: $0)[tokens[$0]] })
            }
        }
        let report = try loss.report(batch)
        let gradients = try #require(
            LogitGradients(
                report, tokenIDs: tokens, logits: given, tokenViews: Set(View.allCases), contrast: nil,
                stopped: loss.stopGradient))
        #expect(gradients.rows == file.tensors["expect.grad.rows"]?.integers())

        let vocabulary = gradients.vocabulary
        for index in gradients.rows.indices {
            let found = filled(gradients, index)
            for view in View.allCases {
                let expected = try #require(file.tensors["expect.grad.\(view.rawValue).logits"])
                    .doubles(index * vocabulary..<(index + 1) * vocabulary)
                let largest = expected.map(\.magnitude).max() ?? 0
                for (value, expected) in zip(found[view], expected) {
                    // The log-probability's own gradient is a Float, and so is its product.
                    #expect(abs(Double(value) - expected) <= 2.4e-7 * largest + 1e-14, "\(view) \(index)")
                }
            }
        }
    }
}
