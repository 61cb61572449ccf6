import ContrastiveLoss
import JSON
import Batches
import PolicyObjective
import Tensor
import TestMaterial
import Testing

/// One golden file: a batch, its options and what verl or TRL makes of them.
struct GoldenCase {
    let loss: PolicyLoss
    let batch: PolicyBatch
    let expect: JSONValue
    let expectedGradient: [Double]

    init(_ name: String) throws {
        let file = try Safetensors(parsing: GoldenFolder.bytes(of: "policy/\(name)"))
        let options = try JSONValue(parsing: try #require(file.metadata["options"]))
        expect = try JSONValue(parsing: try #require(file.metadata["expect"]))
        func list(_ name: String) -> [Double]? { file.tensors[name]?.doubles() }
        expectedGradient = try #require(list("expect.grad.original.log_probs"))

        let logProbabilities = try #require(file.tensors["original.log_probs"])
        let sequences: Sequences
        if let ends = file.tensors["cu_seqlens"]?.integers() {
            sequences = Sequences(offsets: ends)
        } else {
            sequences = Sequences(padded: logProbabilities.shape[0], logProbabilities.shape[1])
        }
        let advantages = list("advantages").map { given in
            given.count == sequences.tokens
                ? given : (0..<sequences.tokens).map { given[sequences.sequence(of: $0)] }
        }
        batch = PolicyBatch(
            sequences: sequences,
            responseMask: list("response_mask")?.map { UInt8($0) }
                ?? [UInt8](repeating: 1, count: sequences.tokens),
            logProbabilities: logProbabilities.doubles(), oldLogProbabilities: list("old.log_probs"),
            referenceLogProbabilities: list("reference.log_probs"), advantages: advantages,
            perceptionMask: list("perception_mask")?.map { UInt8($0) })
        loss = try GoldenCase.loss(options, hasReference: batch.referenceLogProbabilities != nil, sequences)
    }

    private static func loss(_ options: JSONValue, hasReference: Bool, _ sequences: Sequences) throws
        -> PolicyLoss
    {
        func number(_ name: String) -> Double? { options[name]?.double }
        func word(_ name: String, _ common: String) -> String { options[name]?.string ?? common }
        let estimator = try #require(ReferenceKL.Estimator(rawValue: word("kl_estimator", "k3")))
        return PolicyLoss(
            surrogate: word("policy", "none") == "none"
                ? nil
                : ClippedSurrogate(
                    clipLow: number("clip_low") ?? 0.2, clipHigh: number("clip_high") ?? 0.2,
                    dualClip: number("dual_clip"),
                    level: try #require(
                        ClippedSurrogate.ImportanceLevel(rawValue: word("importance_level", "token"))),
                    tokens: try #require(
                        ClippedSurrogate.Tokens(rawValue: word("policy_tokens", "response")))),
            kl: hasReference
                ? ReferenceKL(estimator: estimator, coefficient: number("kl_coefficient") ?? 0) : nil,
            aggregation: Aggregation(
                mode: try #require(Aggregation.Mode(rawValue: word("policy_aggregation", "token-mean"))),
                denominator: number("policy_denominator")))
    }
}
