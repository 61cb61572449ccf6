import ContrastiveLoss
import JSON
import PolicyObjective

/// The options of the policy loss. The numbers are kept even if it is off, so that they can be checked and echoed.
struct PolicyOptions: Sendable, Equatable {
    enum Method: String, Sendable, CaseIterable {
        case none
        /// The clipped surrogate of PPO, GRPO, DAPO and, at sequence level, GSPO.
        case ppo
    }

    var method = Method.none
    var surrogate = ClippedSurrogate()
    var kl = ReferenceKL()
    var aggregation = Aggregation.Mode.tokenMean
    /// The divisor of token-sum.
    var denominator: Double?

    init(_ preset: Preset) {
        // VPPO learns only from tokens that depend on the image.
        surrogate.tokens = preset == .vppo ? .perception : .response
    }

    /// - Parameters:
    ///   - hasReference: whether the request has log-probabilities of a reference policy, so that kl is measured.
    ///   - shared: the loss aggregation, which supplies length and batch size.
    /// - Returns: nil if there is nothing to compute.
    func loss(hasReference: Bool, _ shared: Aggregation) -> PolicyLoss? {
        guard method == .ppo || hasReference else { return nil }
        return PolicyLoss(
            surrogate: method == .ppo ? surrogate : nil, kl: hasReference ? kl : nil,
            aggregation: Aggregation(
                mode: aggregation, normLength: shared.normLength, globalBatchSize: shared.globalBatchSize,
                denominator: denominator))
    }
}

let policyOptions: [Option<PolicyOptions>] = [
    .choice("policy", \.method),
    .number("clip_low", \.surrogate.clipLow, from: 0),
    .number("clip_high", \.surrogate.clipHigh, from: 0),
    .optional("dual_clip", \.surrogate.dualClip, NumberRange(above: 1)),
    .choice("importance_level", \.surrogate.level),
    .choice("policy_tokens", \.surrogate.tokens),
    .choice("kl_estimator", \.kl.estimator),
    .number("kl_coefficient", \.kl.coefficient),
    .choice("policy_aggregation", \.aggregation),
    .limit("policy_denominator", \.denominator),
]

extension OptionAgreement {
    func check(_ policy: PolicyOptions, _ faults: inout Faults) {
        check(
            ["clip_low", "clip_high", "dual_clip", "importance_level", "policy_tokens"],
            act: policy.method == .ppo, "the policy is none", &faults)
        let isSum = policy.aggregation == .tokenSum
        check(
            ["policy_denominator"], act: isSum, "policy_aggregation is \(policy.aggregation.rawValue)",
            &faults)
        if isSum, policy.denominator == nil {
            faults.add(
                .missingField, Problem.Reason("token-sum requires it", field: "policy_denominator"))
        }
    }
}
