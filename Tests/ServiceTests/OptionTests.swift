import ContrastiveLoss
import HTTP
import HTTPTypes
import JSON
import Service
import Testing

@Suite struct OptionTests {
    static let empty = #""rollouts":[]"#

    /// Two values of each option, so that one can win over the other.
    static let score: [(OptionValue, OptionValue)] = [
        (
            OptionValue("preset", "cppo-areal", "cppo-areal"),
            OptionValue("preset", "cppo-paper", "cppo-paper")
        ),
        (OptionValue("detector", "none", "none"), OptionValue("detector", "entropy", "entropy")),
        (OptionValue("score", "absolute", "absolute"), OptionValue("score", "relative", "relative")),
        (OptionValue("epsilon", 0.25, "0.25"), OptionValue("epsilon", 0, "0")),
        (OptionValue("min_delta_entropy", 0.5, "0.5"), OptionValue("min_delta_entropy", 3, "3.0")),
        (OptionValue("top_k_ratio", 1, "1"), OptionValue("top_k_ratio", 0.125, "1.25e-1")),
        (OptionValue("quota", "ceil", "ceil"), OptionValue("quota", "floor", "floor")),
        (OptionValue("scope", "segment", "segment"), OptionValue("scope", "sequence", "sequence")),
        (OptionValue("ties", "first", "first"), OptionValue("ties", "all", "all")),
        (
            OptionValue("gate", "none", "none"),
            OptionValue("gate", "positive_advantage", "positive_advantage")
        ),
        (OptionValue("gate_threshold", -2.5, "-2.5"), OptionValue("gate_threshold", 1, "1")),
        (
            OptionValue("estimator", "k1", "k1"),
            OptionValue("estimator", "low_var_kl", "low_var_kl", echo: "k3")
        ),
        (OptionValue("estimator", "full_kl", "full_kl"), OptionValue("estimator", "jsd", "jsd")),
        (OptionValue("estimator", "abs", "abs"), OptionValue("estimator", "k2", "k2")),
        (OptionValue("clamp_input", 7, "7"), OptionValue("clamp_input", .null, "none")),
        (OptionValue("clamp_result", .null, "null"), OptionValue("clamp_result", 0.5, "0.5")),
        (OptionValue("loss", "margin", "margin"), OptionValue("loss", "infonce", "infonce")),
        (OptionValue("tau", 2, "2"), OptionValue("tau", 0.01, "0.01")),
        (OptionValue("coefficient", -1, "-1"), OptionValue("coefficient", 0, "0")),
        (
            OptionValue("aggregation", "seq-mean-token-sum", "seq-mean-token-sum"),
            OptionValue("aggregation", "seq-mean-token-mean", "seq-mean-token-mean")
        ),
        (OptionValue("norm_length", 12.5, "12.5"), OptionValue("norm_length", .null, "none")),
        (
            OptionValue("global_batch_size", 64, "64"),
            OptionValue("global_batch_size", 1_000_000_000, "1000000000")
        ),
        (
            OptionValue(
                "stop_gradient", ["removing", "original", "removing"], "removing,original",
                echo: ["original", "removing"]),
            OptionValue("stop_gradient", [], "")
        ),
        (OptionValue("candidates", "rising", "rising"), OptionValue("candidates", "all", "all")),
        (
            OptionValue(
                "terms", [["anchor": "preserving", "reference": "removing", "weight": 2.5]],
                "[{\"anchor\":\"preserving\",\"reference\":\"removing\",\"weight\":2.5}]"),
            OptionValue(
                "terms", [["anchor": "original", "reference": "removing"]],
                "[{\"anchor\":\"original\",\"reference\":\"removing\"}]",
                echo: [["anchor": "original", "reference": "removing", "weight": 1]])
        ),
        (OptionValue("loss_cap", 0.25, "0.25"), OptionValue("loss_cap", .null, "none")),
        (OptionValue("denominator", 640.5, "640.5"), OptionValue("denominator", 2, "2")),
        (
            OptionValue("entropy_coefficients", ["original": 0.5], "{\"original\":0.5}"),
            OptionValue("entropy_coefficients", [:], "{}")
        ),
        (
            OptionValue("advantage_shaping", "dependency", "dependency"),
            OptionValue("advantage_shaping", "none", "none")
        ),
        (OptionValue("advantage_floor", 0.5, "0.5"), OptionValue("advantage_floor", 1, "1")),
        (OptionValue("dependency_min", 0.5, "0.5"), OptionValue("dependency_min", .null, "none")),
        (OptionValue("dependency_max", 2, "2"), OptionValue("dependency_max", .null, "none")),
        (OptionValue("dependency_mean", 0.25, "0.25"), OptionValue("dependency_mean", .null, "none")),
        (OptionValue("policy", "ppo", "ppo"), OptionValue("policy", "none", "none")),
        (OptionValue("clip_low", 0.1, "0.1"), OptionValue("clip_low", 0, "0")),
        (OptionValue("clip_high", 0.28, "0.28"), OptionValue("clip_high", 3, "3")),
        (OptionValue("dual_clip", 3, "3"), OptionValue("dual_clip", .null, "none")),
        (
            OptionValue("importance_level", "sequence", "sequence"),
            OptionValue("importance_level", "token", "token")
        ),
        (
            OptionValue("policy_tokens", "perception", "perception"),
            OptionValue("policy_tokens", "response", "response")
        ),
        (OptionValue("kl_estimator", "k3+", "k3%2B"), OptionValue("kl_estimator", "k1", "k1")),
        (OptionValue("kl_coefficient", 0.04, "0.04"), OptionValue("kl_coefficient", 0, "0")),
        (
            OptionValue("policy_aggregation", "seq-mean-token-mean", "seq-mean-token-mean"),
            OptionValue("policy_aggregation", "token-mean", "token-mean")
        ),
        (OptionValue("policy_denominator", 512, "512"), OptionValue("policy_denominator", 1.5, "1.5")),
        (OptionValue("vocabulary_size", 151936, "151936"), OptionValue("vocabulary_size", .null, "none")),
        (OptionValue("entropy_from", "upper", "upper"), OptionValue("entropy_from", "lower", "lower")),
        (OptionValue("gradient_of", "objective", "objective"), OptionValue("gradient_of", "loss", "loss")),
        (OptionValue("temperature", 0.0001, "0.0001"), OptionValue("temperature", 10_000, "1e4")),
        (OptionValue("grad_scale", 65536, "65536"), OptionValue("grad_scale", -0.5, "-0.5")),
        (OptionValue("result_type", "BF16", "BF16"), OptionValue("result_type", "F32", "F32")),
        (
            OptionValue("return", ["mask", "gate"], "mask,gate", echo: ["gate", "mask"]),
            OptionValue(
                "return", ["grad"], "grad",
                echo: ["grad.original.log_probs", "grad.preserving.log_probs", "grad.removing.log_probs"])
        ),
    ]

    /// Options without which others act on nothing, and would be refused.
    static let contexts: [String: [String: JSONValue]] = [
        "norm_length": ["aggregation": "seq-mean-token-sum-norm"],
        "global_batch_size": ["aggregation": "seq-mean-token-sum"],
        "denominator": ["aggregation": "token-sum", "denominator": 1],
        "candidates": ["detector": "divergence"],
        "clip_low": ["policy": "ppo"], "clip_high": ["policy": "ppo"], "dual_clip": ["policy": "ppo"],
        "importance_level": ["policy": "ppo"], "policy_tokens": ["policy": "ppo"],
        "policy_denominator": ["policy_aggregation": "token-sum", "policy_denominator": 1],
        "advantage_floor": ["advantage_shaping": "dependency"],
        "dependency_min": ["advantage_shaping": "dependency"],
        "dependency_max": ["advantage_shaping": "dependency"],
        "dependency_mean": ["advantage_shaping": "dependency"],
    ]

    @Test(arguments: score.indices) func `score takes an option from body and query, and the query wins`(
        index: Int
    ) throws {
        let (one, other) = OptionTests.score[index]
        let context = OptionTests.contexts[one.name] ?? [:]
        try expectEchoes("/v1/score", one, other, context)
        try expectEchoes("/v1/score", other, one, context)
    }

    static let others: [(String, OptionValue, OptionValue)] = [
        (
            "/v1/mask", OptionValue("preset", "cppo-areal", "cppo-areal"),
            OptionValue("preset", "cppo-paper", "cppo-paper")
        ),
        ("/v1/mask", OptionValue("detector", "none", "none"), OptionValue("detector", "entropy", "entropy")),
        ("/v1/mask", OptionValue("top_k_ratio", 0.75, "0.75"), OptionValue("top_k_ratio", 0.5, "0.5")),
        (
            "/v1/mask", OptionValue("gate", "none", "none"),
            OptionValue("gate", "positive_advantage", "positive_advantage")
        ),
        ("/v1/mask", OptionValue("return", ["mask"], "mask"), OptionValue("return", [], "")),
        ("/v1/entropy", OptionValue("temperature", 0.5, "0.5"), OptionValue("temperature", 2, "2")),
        (
            "/v1/entropy", OptionValue("return", ["entropy"], "entropy"),
            OptionValue("return", ["log_sum_exp"], "log_sum_exp")
        ),
        (
            "/v1/advantages", OptionValue("advantage_estimator", "rloo", "rloo"),
            OptionValue("advantage_estimator", "dr_grpo", "dr_grpo")
        ),
        ("/v1/advantages", OptionValue("std_epsilon", 0, "0"), OptionValue("std_epsilon", 1, "1.0")),
    ]

    @Test(arguments: others.indices) func `so do the other operations`(index: Int) throws {
        let (path, one, other) = OptionTests.others[index]
        try expectEchoes(path, one, other)
        try expectEchoes(path, other, one)
    }

    @Test func `the table above knows every option of score`() throws {
        let names = try echo("/v1/score", "{}", "").members?.map(\.name)
        #expect(Set(names ?? []) == Set(OptionTests.score.map(\.0.name)))
    }

    @Test(arguments: Preset.allCases) func `a preset fills in what is not given, as the catalogue says`(
        preset: Preset
    ) throws {
        let service = TestService()
        let catalogue = try service.get("/v1/presets").json()
        let listed = try #require(
            catalogue["presets"]?.array?.first { $0["name"]?.string == preset.rawValue })
        #expect(try echo("/v1/score", "{}", "preset=\(preset.rawValue)") == listed["options"])
        let changed = try echo(
            "/v1/score", "{\"preset\":\"\(preset.rawValue)\",\"temperature\":3}", "grad_scale=2")
        for member in listed["options"]?.members ?? [] {
            let expected: JSONValue =
                member.name == "temperature" ? 3 : member.name == "grad_scale" ? 2 : member.value
            #expect(changed[member.name] == expected, "\(member.name)")
        }
    }

    @Test func `the preset without a name is the catalogue's default`() throws {
        let catalogue = try TestService().get("/v1/presets").json()
        #expect(try echo("/v1/score", "{}", "")["preset"] == catalogue["default"])
        #expect(catalogue["presets"]?.array?.count == Preset.allCases.count)
    }

    static let clamps: [(String, String, JSONValue, JSONValue)] = [
        ("cppo-verl", "k3", 20, 10), ("cppo-verl", "k1", .null, .null), ("cppo-verl", "k2", .null, .null),
        ("cppo-verl", "jsd", .null, .null), ("cppo-areal", "k1", .null, 10), ("cppo-areal", "k2", .null, 10),
        ("cppo-areal", "k3", .null, 10), ("cppo-areal", "abs", .null, .null),
        ("cppo-paper", "full_kl", .null, .null),
        ("cppo-paper", "k3", .null, .null),
    ]

    @Test(arguments: clamps) func `clamps that are not given belong to preset and estimator`(
        preset: String, estimator: String, input: JSONValue, result: JSONValue
    ) throws {
        let options = try echo("/v1/score", "{\"estimator\":\"\(estimator)\"}", "preset=\(preset)")
        #expect(options["clamp_input"] == input && options["clamp_result"] == result)
        #expect(
            try echo("/v1/score", "{\"estimator\":\"\(estimator)\"}", "preset=\(preset)&clamp_result=3")[
                "clamp_result"] == 3)
    }

    @Test func `return narrows the reply to what it names, scalars stay`() throws {
        let service = TestService()
        let batch = TokenBatch(lengths: [3, 2], seed: 31)
        let scalars: Set = [
            "loss", "weighted_loss", "loss_numerator", "loss_denominator", "objective", "diagnostics",
            "options",
        ]
        func members(_ wanted: String?) throws -> Set<String> {
            let target = "/v1/score" + (wanted.map { "?return=\($0)" } ?? "")
            let reply = try service.post(target, batch.columnar([:], packed: true), type: "application/json")
                .json()
            return Set(reply.members?.map(\.name) ?? []).subtracting(scalars)
        }
        let all: Set = [
            "perception_mask", "gate", "mask", "delta_entropy", "perception_score", "token_loss",
            "grad.original.log_probs",
            "grad.preserving.log_probs", "grad.removing.log_probs",
        ]
        #expect(try members(nil) == all)
        #expect(try members("") == [])
        for name in all { #expect(try members(name) == [name]) }
        #expect(try members("grad,mask,mask") == all.filter { $0.hasPrefix("grad.") }.union(["mask"]))
        let narrow = try service.post("/v1/score?return=mask", batch.rollouts([:]), type: "application/json")
            .json()
        #expect(narrow["rollouts"]?.array?.first?.members?.map(\.name) == ["id", "mask", "diagnostics"])
    }

    /// - Parameter context: options without which this one acts on nothing.
    private func expectEchoes(
        _ path: String, _ body: OptionValue, _ query: OptionValue, _ context: [String: JSONValue] = [:]
    ) throws {
        let others = context.filter { $0.key != body.name }.map { JSONValue.Member($0.key, $0.value) }
        let alone = JSONValue.object(others).text
        let with = JSONValue.object(others + [.init(body.name, body.json)]).text
        #expect(try echo(path, with, "")[body.name] == body.echo)
        #expect(try echo(path, alone, "\(query.name)=\(query.query)")[query.name] == query.echo)
        let both = try echo(path, with, "\(query.name)=\(query.query)")
        #expect(both[query.name] == query.echo, "the query wins")
    }

    private func echo(_ path: String, _ options: String, _ query: String) throws -> JSONValue {
        let target = query.isEmpty ? path : "\(path)?\(query)"
        let reply = try TestService().post(text: "{\"options\":\(options),\(OptionTests.empty)}", to: target)
            .json()
        return try #require(reply["options"])
    }
}
