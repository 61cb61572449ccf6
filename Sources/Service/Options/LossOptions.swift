import ContrastiveLoss
import JSON
import Perception

/// The options of the loss: divergences, terms, clamps, shape and aggregation.
let lossOptions: [Option<PerceptionLoss>] =
    [.terms("terms", \.terms)] + estimatorOptions + [
        .choice("loss", \.shape.form),
        .number("tau", \.shape.tau, above: 0),
        .number("coefficient", \.coefficient),
        .limit("loss_cap", \.cap),
        .choice("aggregation", \.aggregation.mode),
        .limit("norm_length", \.aggregation.normLength),
        .count("global_batch_size", \.aggregation.globalBatchSize, to: 1_000_000_000),
        .limit("denominator", \.aggregation.denominator),
        .numbers("entropy_coefficients", \.entropyCoefficients),
        .set("stop_gradient", \.stopGradient, groups: ["none": []]),
    ]

/// The options of the estimator, shared by /v1/score and /v1/mask.
let estimatorOptions: [Option<PerceptionLoss>] = [
    .choice("estimator", \.estimator, aliases: ["low_var_kl": .k3]),
    .limit("clamp_input", \.clamps.input),
    .limit("clamp_result", \.clamps.result),
]

extension OptionAgreement {
    /// - Parameter policyMode: the policy's aggregation, which shares the length and the batch size.
    func check(_ loss: PerceptionLoss, policyMode: Aggregation.Mode, _ faults: inout Faults) {
        let hasTerms = !loss.terms.isEmpty
        checkEstimator(loss, &faults)
        check(
            ["loss", "tau", "coefficient", "loss_cap", "aggregation", "denominator"], act: hasTerms,
            "there are no terms", &faults)
        check(
            ["tau"], act: !hasTerms || loss.shape.form == .infonce, "the loss is \(loss.shape.form.rawValue)",
            &faults)
        let mode = loss.aggregation.mode
        let aggregation = "the aggregation is \(mode.rawValue)"
        let modes = [mode, policyMode]
        check(["norm_length"], act: modes.contains(.sequenceMeanTokenSumNorm), aggregation, &faults)
        check(["global_batch_size"], act: modes.contains(where: \.countsSequences), aggregation, &faults)
        check(["denominator"], act: mode == .tokenSum, aggregation, &faults)
        if mode == .tokenSum, loss.aggregation.denominator == nil {
            faults.add(
                .missingField, Problem.Reason("token-sum requires it", field: "denominator"))
        }
    }

    func checkEstimator(_ loss: PerceptionLoss, _ faults: inout Faults) {
        let estimates =
            !loss.terms.isEmpty || loss.detector.method == .divergence || loss.advantageScaling != nil
        check(
            ["estimator", "clamp_input", "clamp_result"], act: estimates, "there is no divergence", &faults)
        if loss.estimator.needsVocabulary, loss.clamps.input != nil {
            faults.add(
                .conflictingFields,
                Problem.Reason(
                    "there is no log-ratio to clamp with \(loss.estimator.rawValue)", field: "clamp_input"))
        }
    }
}
