import HTTP
import HTTPTypes
import JSON
import Service
import Testing

/// Inference engines' replies as views of a rollout.
@Suite struct EngineReplyTests {
    static let original = """
        {"prompt_logprobs":[null,{"785":{"logprob":-0.31,"rank":1},"32":{"logprob":-1.9}},
        {"8251":{"logprob":-0.2,"rank":1},"5562":{"logprob":-2.3}}],"usage":{"prompt_tokens":3}}
        """
    static let removing = """
        {"meta_info":{"input_token_logprobs":[[null,315,null],[-0.6,785,null],[-2.3,8251,null]],
        "input_top_logprobs":[null,[[-0.6,785,null],[-1.4,32,null]],[[-0.9,5562,null],[-1.5,6303,null]]]}}
        """

    private func rollout(
        _ original: String = EngineReplyTests.original, _ removing: String = EngineReplyTests.removing,
        length: String = #""token_ids":[785,8251]"#
    ) -> String {
        #"{"rollouts":[{\#(length),"original":{"reply":\#(original)},"removing":{"reply":\#(removing)}}]}"#
    }

    private let target = "/v1/score?preset=papo-g&detector=entropy&vocabulary_size=151936"

    @Test func `they say what the same numbers in columns say`() throws {
        let service = TestService()
        let found = try service.post(text: rollout(), to: target).json()
        let columns = """
            {"rollouts":[{"original":{"log_probs":[-0.31,-0.2],"top_log_probs":[[-0.31,-1.9],[-0.2,-2.3]]},
            "removing":{"log_probs":[-0.6,-2.3],"top_log_probs":[[-0.6,-1.4],[-0.9,-1.5]]}}]}
            """
        let expected = try service.post(text: columns, to: target).json()
        #expect(found["loss"] == expected["loss"] && found["rollouts"] == expected["rollouts"])
        #expect(found["diagnostics"]?["undecided"] == expected["diagnostics"]?["undecided"])
        let byLength = try service.post(text: rollout(length: #""response_length":2"#), to: target).json()
        #expect(byLength["rollouts"] == found["rollouts"])
    }

    @Test func `mask and entropy read them too`() throws {
        let service = TestService()
        let mask = try service.post(text: rollout(), to: "/v1/mask?gate=none&vocabulary_size=151936").json()
        #expect(mask["rollouts"]?.array?.first?["perception_mask"]?.array?.count == 2)
        let entropy = try service.post(text: rollout(), to: "/v1/entropy?vocabulary_size=151936").json()
        let view = entropy["rollouts"]?.array?.first?["original"]
        #expect(view?["log_probs"]?.array?.first == -0.31 && view?["entropy_upper"]?.array?.count == 2)
    }

    @Test func `PAPO's terms need no lists`() throws {
        let bare = #"{"prompt_logprobs":[null,{"785":{"logprob":-0.31}},{"8251":{"logprob":-0.2}}]}"#
        let reply = try TestService().post(text: rollout(bare, bare), to: "/v1/score?preset=papo-g").json()
        #expect(reply["loss"] == 0)
    }

    static let wrong: [(original: String, kind: Problem.Kind, field: String)] = [
        (
            #"{"prompt_logprobs":[null,{"785":{"logprob":-9999.0}},{"8251":{"logprob":-0.2}}]}"#,
            .nonFiniteValue,
            "rollouts[0].original.reply.prompt_logprobs[1]"
        ),
        (
            #"{"prompt_logprobs":[null,{"7":{"logprob":-1}},{"8251":{"logprob":-0.2}}]}"#, .invalidValue,
            "rollouts[0].original.reply.prompt_logprobs[1]"
        ),
        (#"{"choices":[]}"#, .missingField, "rollouts[0].original.reply"),
        (#"{"prompt_logprobs":[null]}"#, .invalidShape, "rollouts[0].original.reply.prompt_logprobs"),
    ]

    @Test(arguments: wrong) func `what is wrong is named with its place`(
        original: String, kind: Problem.Kind, field: String
    ) throws {
        let reply = try TestService().post(text: rollout(original), to: target)
        #expect(reply.status == kind.status, "\(reply.text)")
        let json = try JSONValue(parsing: reply.bytes)
        let named = json["errors"]?.array?.compactMap { $0["field"]?.string } ?? []
        #expect(
            json["type"]?.string == kind.rawValue && named.contains { $0.hasPrefix(field) }, "\(reply.text)")
    }

    @Test func `nothing is read where the mask is 0`() throws {
        let service = TestService()
        let holes = """
            {"prompt_logprobs":[null,{"785":{"logprob":-9999.0}},{"8251":{"logprob":-0.2},"5562":{"logprob":-2.3}}]}
            """
        let removing = """
            {"meta_info":{"input_token_logprobs":[[null,9,null],[-2.3,8251,null]],
            "input_top_logprobs":[null,[[-0.9,5562,null],[-1.5,6303,null]]]}}
            """
        let masked = #""token_ids":[-100,8251],"response_mask":[0,1]"#
        let reply = try service.post(text: rollout(holes, removing, length: masked), to: target).json()
        #expect(reply["diagnostics"]?["tokens"] == 1)
        let one = rollout(holes, removing, length: #""response_length":1"#)
        let last = try service.post(text: one, to: target)
        #expect(try reply["loss"] == last.json()["loss"])
        #expect(reply["diagnostics"]?["equal_views"] == (try last.json()["diagnostics"]?["equal_views"]))
    }

    @Test func `the views' replies score the same tokens`() throws {
        let other = #"{"prompt_logprobs":[null,{"785":{"logprob":-0.3}},{"8252":{"logprob":-0.2}}]}"#
        let bare = #"{"prompt_logprobs":[null,{"785":{"logprob":-0.3}},{"8251":{"logprob":-0.2}}]}"#
        let papo = "/v1/score?preset=papo-g"
        let length = #""response_length":2"#
        let service = TestService()
        try service.post(text: rollout(bare, other, length: length), to: papo).expectProblem(
            .invalidValue, field: "rollouts[0].removing.reply.prompt_logprobs[2]")
        #expect(try service.post(text: rollout(bare, bare, length: length), to: papo).json()["loss"] == 0)
        let masked = #""response_length":2,"response_mask":[1,0]"#
        #expect(try service.post(text: rollout(bare, other, length: masked), to: papo).json()["loss"] == 0)
    }

    @Test func `a reply stands alone, in every rollout, with a length`() throws {
        let service = TestService()
        let both =
            #"{"rollouts":[{"token_ids":[785,8251],"original":{"reply":\#(EngineReplyTests.original),"log_probs":[-1,-1]}}]}"#
        try service.post(text: both, to: target).expectProblem(
            .conflictingFields, field: "rollouts[0].original.log_probs")
        try service.post(text: rollout(length: #""id":"r""#), to: target).expectProblem(
            .missingField, field: "rollouts[0].response_length")
        let one =
            #"{"rollouts":[{"response_length":2,"original":{"reply":\#(EngineReplyTests.original)}},{"response_length":2,"original":{"log_probs":[-1,-1]}}]}"#
        try service.post(text: one, to: target).expectProblem(
            .missingField, field: "rollouts[1].original.reply")
        let broken = String(rollout().prefix(60))
        try service.post(text: broken, to: target).expectProblem(.malformedJSON)
    }
}
