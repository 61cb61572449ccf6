import ContrastiveLoss
import JSON
import Perception

/// All options of /v1/mask, resolved.
struct MaskOptions: Sendable {
    enum Output: String, Sendable, CaseIterable {
        case perceptionMask = "perception_mask"
        case gate
        case mask
        case deltaEntropy = "delta_entropy"
        case perceptionScore = "perception_score"
    }

    var preset = Preset.standard
    var detector = Preset.standard.loss.detector
    var gate = Preset.standard.loss.gate
    var returned = Set(Output.allCases)

    static let table = OptionTable<MaskOptions>(
        options: [.choice("preset", \.preset)] + detectorOptions.map { $0.lifted(\.detector) }
            + gateOptions.map { $0.lifted(\.gate) } + [.set("return", \.returned)])

    init(body: [JSONValue.Member], query: [JSONValue.Member], _ faults: inout Faults) {
        let given = overlay(body, query)
        MaskOptions.table.apply(given.filter { $0.name == "preset" }, to: &self, &faults)
        detector = preset.loss.detector
        gate = preset.loss.gate
        MaskOptions.table.apply(given.filter { $0.name != "preset" }, to: &self, &faults)
        if detector.method == .none { returned.subtract([.deltaEntropy, .perceptionScore]) }
    }
}

/// All options of /v1/entropy, resolved.
struct EntropyOptions: Sendable {
    enum Output: String, Sendable, CaseIterable {
        case entropy
        case logSumExp = "log_sum_exp"
        case logProbs = "log_probs"
    }

    var temperature = 1.0
    var returned = Set(Output.allCases)
    /// Whether the request says what to return; by default it is what there is.
    private(set) var namesOutputs = false

    static let table = OptionTable<EntropyOptions>(options: [
        .number("temperature", \.temperature, from: 1e-4, to: 1e4), .set("return", \.returned),
    ])

    init(body: [JSONValue.Member], query: [JSONValue.Member], _ faults: inout Faults) {
        let given = overlay(body, query)
        namesOutputs = given.contains { $0.name == "return" }
        EntropyOptions.table.apply(given, to: &self, &faults)
    }
}

/// All options of /v1/advantages, resolved.
struct AdvantageOptions: Sendable {
    var estimator = GroupAdvantage.grpo
    var epsilon = 1e-6

    static let table = OptionTable<AdvantageOptions>(options: [
        .choice("advantage_estimator", \.estimator), .number("std_epsilon", \.epsilon, from: 0, to: 1),
    ])

    init(body: [JSONValue.Member], query: [JSONValue.Member], _ faults: inout Faults) {
        AdvantageOptions.table.apply(overlay(body, query), to: &self, &faults)
    }
}
