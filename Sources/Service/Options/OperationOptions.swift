import Advantages
import JSON

/// All options of /v1/entropy, resolved.
struct EntropyOptions: Sendable {
    enum Output: String, Sendable, CaseIterable {
        case entropy
        case logSumExp = "log_sum_exp"
        case logProbs = "log_probs"
        case entropyLower = "entropy_lower"
        case entropyUpper = "entropy_upper"
    }

    var temperature = 1.0
    var bounds = EntropyBoundOptions()
    var returned = Set(Output.allCases)
    /// Whether the request says what to return. By default the reply returns everything available.
    private(set) var namesOutputs = false

    static let table = OptionTable<EntropyOptions>(
        options: [
            .number("temperature", \.temperature, from: 1e-4, to: 1e4)
        ] + entropyBoundOptions.map { $0.lifted(\.bounds) } + [
            .set("return", \.returned, groups: ["all": Output.allCases])
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
    var epsilon = GroupAdvantage.standardEpsilon

    static let table = OptionTable<AdvantageOptions>(options: [
        .choice("advantage_estimator", \.estimator), .number("std_epsilon", \.epsilon, from: 0, to: 1),
    ])

    init(body: [JSONValue.Member], query: [JSONValue.Member], _ faults: inout Faults) {
        AdvantageOptions.table.apply(overlay(body, query), to: &self, &faults)
    }
}
