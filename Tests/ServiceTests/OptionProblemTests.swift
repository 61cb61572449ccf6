import HTTP
import HTTPTypes
import JSON
import Service
import Testing

/// Options that are refused: their values, their types and their names.
@Suite struct OptionProblemTests {
    static let outOfDomain: [(String, String)] = [
        ("tau", "0"), ("tau", "-1"), ("epsilon", "-1e-9"), ("epsilon", "1.5"), ("min_delta_entropy", "-0.1"),
        ("top_k_ratio", "0"),
        ("top_k_ratio", "1.0001"), ("top_k_ratio", "-0.5"), ("clamp_input", "0"), ("clamp_result", "-1"),
        ("norm_length", "0"),
        ("global_batch_size", "0"), ("global_batch_size", "1000000001"), ("temperature", "0"),
        ("temperature", "0.00009"),
        ("temperature", "10001"), ("preset", "\"cppo\""), ("quota", "\"Floor\""), ("estimator", "\"k4\""),
        ("gate", "\"\""),
        ("aggregation", "\"token_mean\""), ("stop_gradient", "[\"anchor\"]"), ("return", "[\"loss\"]"),
        ("result_type", "\"F16\""), ("result_type", "\"bf16\""),
        ("return", "[\"mask\",\"x\"]"),
    ]

    @Test(arguments: outOfDomain)
    func `a value out of its domain is refused with what was expected and found`(name: String, text: String)
        throws
    {
        let service = TestService()
        let error = try service.post(
            text: "{\"options\":{\"\(name)\":\(text)},\(OptionTests.empty)}", to: "/v1/score"
        )
        .expectProblem(.invalidOption, field: name)
        #expect(error["found"]?.string?.isEmpty == false && error["expected"]?.string?.isEmpty == false)
        let query = text.filter { !"\"[]".contains($0) }
        try service.post(text: "{\(OptionTests.empty)}", to: "/v1/score?\(name)=\(query)").expectProblem(
            .invalidOption, field: name)
    }

    static let wrongTypes: [(String, String)] = [
        ("result_type", "16"), ("result_type", "null"), ("tau", "\"0.1\""), ("tau", "null"), ("tau", "true"),
        ("tau", "[1]"), ("preset", "1"),
        ("preset", "null"), ("quota", "{}"),
        ("clamp_input", "\"none\""), ("clamp_input", "false"), ("global_batch_size", "1.5"),
        ("global_batch_size", "\"8\""),
        ("stop_gradient", "\"original\""), ("stop_gradient", "[1]"), ("return", "null"),
        ("return", "\"mask\""), ("return", "{}"),
    ]

    @Test(arguments: wrongTypes) func `a value of another type is refused`(name: String, text: String) throws
    {
        try TestService().post(
            text: "{\"options\":{\"\(name)\":\(text)},\(OptionTests.empty)}", to: "/v1/score"
        )
        .expectProblem(.invalidType, field: name)
    }

    @Test(arguments: [
        "tau=0,1", "tau=abc", "tau=", "tau=%20", "tau=NaN", "tau=inf", "tau=1e999", "epsilon=0x1",
        "global_batch_size=1.5",
    ])
    func `a query that is no number where one belongs is refused`(query: String) throws {
        try TestService().post(text: "{\(OptionTests.empty)}", to: "/v1/score?\(query)").expectProblem(
            .invalidType)
    }

    static let misspelt: [(String, String, String)] = [
        ("/v1/score", "top_k_ration", "top_k_ratio"), ("/v1/score", "Tau", "tau"),
        ("/v1/score", "gatethreshold", "gate_threshold"),
        ("/v1/score", "stop_gradients", "stop_gradient"),
        ("/v1/mask", "min_delta_entrophy", "min_delta_entropy"),
        ("/v1/entropy", "temprature", "temperature"),
        ("/v1/advantages", "advantage_estimater", "advantage_estimator"),
    ]

    @Test(arguments: misspelt) func `an unknown option suggests the nearest`(
        path: String, name: String, nearest: String
    ) throws {
        let service = TestService()
        for response in [
            try service.post(text: "{\"options\":{\"\(name)\":1},\(OptionTests.empty)}", to: path),
            try service.post(text: "{\(OptionTests.empty)}", to: "\(path)?\(name)=1"),
        ] {
            let error = try response.expectProblem(.unknownOption, field: name)
            #expect(error["reason"]?.string?.contains("\"\(nearest)\"") == true)
        }
    }

    @Test
    func `a name that is near none gets the list of all, and unknown fields are told apart from options`()
        throws
    {
        let service = TestService()
        let far = try service.post(
            text: "{\"options\":{\"xyzzy_plugh\":1},\(OptionTests.empty)}", to: "/v1/entropy"
        )
        .expectProblem(.unknownOption, field: "xyzzy_plugh")
        #expect(far["expected"]?.string?.contains("temperature") == true)
        let field = try service.post(text: #"{"orignal.log_probs":[]}"#, to: "/v1/score")
            .expectProblem(.unknownField, field: "orignal.log_probs")
        #expect(field["reason"]?.string?.contains("original.log_probs") == true)
    }

    @Test func `several wrong options are all named`() throws {
        let reply = try TestService().post(
            text: #"{"options":{"tau":0,"quota":"x","nope":1,"epsilon":"1"},"rollouts":[]}"#,
            to: "/v1/score?ties=2"
        )
        .json(.badRequest)
        let fields = reply["errors"]?.array?.compactMap { $0["field"]?.string } ?? []
        #expect(Set(fields) == ["tau", "quota", "nope", "epsilon", "ties"])
    }
}
