import ContrastiveLoss
import HTTP
import HTTPTypes
import JSON
import Service
import Testing

/// An option that acts on nothing is refused, and one that says nothing new is not.
@Suite struct InertOptionTests {
    static let inert: [(options: String, field: String)] = [
        (#"{"loss":"margin","tau":0.3}"#, "tau"), (#"{"detector":"none","top_k_ratio":0.3}"#, "top_k_ratio"),
        (#"{"detector":"divergence","min_delta_entropy":1}"#, "min_delta_entropy"),
        (#"{"score":"absolute","epsilon":0.5}"#, "epsilon"), (#"{"candidates":"rising"}"#, "candidates"),
        (#"{"gate":"none","gate_threshold":3}"#, "gate_threshold"),
        (#"{"terms":[],"estimator":"k1"}"#, "estimator"), (#"{"terms":[],"loss_cap":1}"#, "loss_cap"),
        (#"{"global_batch_size":8}"#, "global_batch_size"), (#"{"norm_length":8}"#, "norm_length"),
        (#"{"denominator":8}"#, "denominator"), (#"{"clip_low":0.1}"#, "clip_low"),
        (#"{"policy_tokens":"perception"}"#, "policy_tokens"),
        (#"{"policy_denominator":8}"#, "policy_denominator"), (#"{"dependency_min":0.1}"#, "dependency_min"),
        (#"{"preset":"papo-g","stop_gradient":["preserving"]}"#, "stop_gradient"),
        (#"{"preset":"papo-g","tau":0.2}"#, "tau"), (#"{"terms":[],"coefficient":0.5}"#, "coefficient"),
        (#"{"terms":[],"grad_scale":2}"#, "grad_scale"),
        (#"{"terms":[],"result_type":"BF16"}"#, "result_type"),
        (
            #"{"terms":[],"entropy_coefficients":{"original":1},"gradient_of":"loss","grad_scale":2}"#,
            "grad_scale"
        ),
    ]

    @Test(arguments: inert) func `it is refused with its name`(options: String, field: String) throws {
        try TestService().post(text: #"{"rollouts":[],"options":\#(options)}"#, to: "/v1/score")
            .expectProblem(.conflictingFields, field: field)
    }

    @Test func `options that contradict each other are refused`() throws {
        let service = TestService()
        try service.post(
            text: #"{"rollouts":[],"options":{"stop_gradient":["none","removing"]}}"#, to: "/v1/score"
        )
        .expectProblem(.invalidOption, field: "stop_gradient")
        let range = #"{"preset":"vppo","dependency_min":2,"dependency_max":1}"#
        try service.post(text: #"{"rollouts":[],"options":\#(range)}"#, to: "/v1/score")
            .expectProblem(.conflictingFields, field: "dependency_min")
    }

    @Test(arguments: Preset.allCases, ["{}", #"{"detector":"none","gate":"none"}"#])
    func `an echoed options object may be posted back`(preset: Preset, options: String) throws {
        let service = TestService()
        let target = "/v1/score?preset=\(preset.rawValue)"
        let first = try service.post(text: #"{"rollouts":[],"options":\#(options)}"#, to: target).json()
        let echoed = try #require(first["options"])
        let again = try service.post(json: ["rollouts": [], "options": echoed], to: "/v1/score").json()
        #expect(again["options"] == echoed)
    }

    static let logits = #""original.logits":[[[1,2]]],"removing.logits":[[[1,2.5]]],"token_ids":[[0]]"#
    static let best = """
        "original.top_log_probs":[[[-1,-2]]],"removing.top_log_probs":[[[-1.5,-2]]],
        "original.log_probs":[[-1]],"removing.log_probs":[[-2]]
        """
    static let whole: [(path: String, options: String, tensors: String)] = [
        (
            "/v1/score", #"{"preset":"papo-g","estimator":"jsd","entropy_coefficients":{"original":0.5}}"#,
            logits
        ),
        ("/v1/score", #"{"preset":"papo-g","estimator":"jsd","return":["all","weights"]}"#, logits),
        (
            "/v1/score", #"{"preset":"papo-g","estimator":"jsd","entropy_coefficients":{"preserving":0.5}}"#,
            #"\#(logits),"preserving.log_probs":[[-1]]"#
        ),
        ("/v1/score", #"{"preset":"papo-g","detector":"entropy","vocabulary_size":9}"#, best),
        ("/v1/mask", #"{"gate":"none","vocabulary_size":9}"#, best),
    ]

    @Test(arguments: whole) func `echoed options, posted back with the same tensors, give the same reply`(
        path: String, options: String, tensors: String
    ) throws {
        let service = TestService()
        let first = try service.post(text: #"{\#(tensors),"options":\#(options)}"#, to: path).json()
        let echoed = try #require(first["options"])
        let again = try service.post(text: #"{\#(tensors),"options":\#(echoed.text)}"#, to: path).json()
        #expect(first == again)
    }

    static let harmless = [
        #"{"tau":0.1,"loss":"margin"}"#, #"{"norm_length":null}"#, #"{"detector":"none","quota":"floor"}"#,
        #"{"preset":"cppo-areal","detector":"none","ties":"first","scope":"segment"}"#,
        #"{"stop_gradient":["none"],"return":["all"]}"#,
    ]

    @Test(arguments: harmless) func `null, defaults and the preset's values say nothing`(options: String)
        throws
    {
        let reply = try TestService().post(text: #"{"rollouts":[],"options":\#(options)}"#, to: "/v1/score")
        #expect(reply.status == .ok, "\(reply.text)")
    }

    @Test func `tensors that act on nothing are refused as well`() throws {
        let service = TestService()
        let batch = #""original.log_probs":[[-1]],"preserving.log_probs":[[-1]],"removing.log_probs":[[-1]]"#
        let off = #""options":{"detector":"none","gate":"none"}"#
        for name in ["old.log_probs", "perception_mask"] {
            let value = name == "perception_mask" ? "[[1]]" : "[[-1]]"
            try service.post(text: "{\(off),\(batch),\"\(name)\":\(value)}", to: "/v1/score")
                .expectProblem(.conflictingFields, field: name)
        }
        try service.post(text: "{\(off),\(batch)}", to: "/v1/score?temperature=2")
            .expectProblem(.conflictingFields, field: "temperature")
    }
}
