import HTTP
import HTTPTypes
import JSON
import Service
import Tensor
import Testing

/// Every way for a request for numbers to be wrong.
@Suite struct ProblemTests {
    static let view = #"{"log_probs":[-1],"entropy":[1]}"#
    static let rollout = #""original":\#(view),"preserving":\#(view),"removing":\#(view)"#

    @Test(arguments: texts) func `a wrong text is answered with its kind and place`(wrong: WrongRequest)
        throws
    {
        try expect(wrong)
    }

    static let batches: [WrongRequest] = [
        .columnar(.missingField, [("original.log_probs", nil)], field: "original.log_probs"),
        .columnar(.missingField, [("removing.entropy", nil)], field: "removing.entropy"),
        .columnar(.missingField, [("advantages", nil)], field: "advantages"),
        .columnar(.missingField, [("advantages", nil), ("rewards", "[1,2]")], field: "group_ids"),
        .columnar(.missingField, [("advantages", nil), ("group_ids", "[1,1]")], field: "rewards"),
        .columnar(
            .missingField,
            [("original.log_probs", nil), ("original.logits", "[[[1,2],[1,2]],[[1,2],[1,2]]]")],
            field: "token_ids"),
        .columnar(.missingField, [], field: "original.logits", query: "?estimator=full_kl"),
        .columnar(.conflictingFields, [("rewards", "[1,2]"), ("group_ids", "[1,1]")], field: "advantages"),
        .columnar(
            .conflictingFields, [("options", #"{"estimator":"jsd","clamp_input":1}"#)], field: "clamp_input"),
        .columnar(.conflictingFields, [("options", #"{"return":["grad.rows"]}"#)], field: "return"),
        .columnar(.conflictingFields, [], field: "return", query: "?detector=none&return=delta_entropy"),
        .columnar(.invalidShape, [("removing.log_probs", "[[-1,-2]]")], field: "removing.log_probs"),
        .columnar(.invalidShape, [("removing.log_probs", "[-1,-2,-3,-4]")], field: "removing.log_probs"),
        .columnar(.invalidShape, [("removing.log_probs", "[]")], field: "removing.log_probs"),
        .columnar(.invalidShape, [("original.log_probs", "[-1,-2]")], field: "original.log_probs"),
        .columnar(.invalidShape, [("original.log_probs", "[[-1],[-2,-3]]")], field: "original.log_probs"),
        .columnar(.invalidShape, [("response_mask", "[1,1]")], field: "response_mask"),
        .columnar(.invalidShape, [("advantages", "[1,2,3]")], field: "advantages"),
        .columnar(.invalidShape, [("advantages", "[[1],[2]]")], field: "advantages"),
        .columnar(
            .invalidShape, [("advantages", nil), ("rewards", "[1]"), ("group_ids", "[1]")], field: "rewards"),
        .columnar(.invalidShape, [("token_ids", "[[1,2]]")], field: "token_ids"),
        .columnar(.invalidShape, [("preserving.logits", "[[[1,2],[1,2]]]")], field: "preserving.logits"),
        .columnar(
            .invalidShape,
            [
                ("preserving.logits", "[[[1],[1]],[[1],[1]]]"),
                ("removing.logits", "[[[1,2],[1,2]],[[1,2],[1,2]]]"),
            ],
            field: "removing.logits"),
        .columnar(.invalidShape, [("cu_seqlens", "[0,2,4]")], field: "cu_seqlens", index: [2]),
        .columnar(.invalidShape, [("cu_seqlens", "[[0,4]]")], field: "cu_seqlens"),
        .columnar(.invalidShape, [("cu_seqlens", "[]")], field: "cu_seqlens"),
        .columnar(.invalidValue, [("cu_seqlens", "[1,4]")], field: "cu_seqlens", index: [0]),
        .columnar(.invalidValue, [("cu_seqlens", "[0,3,2,4]")], field: "cu_seqlens", index: [2]),
        .columnar(.invalidValue, [("cu_seqlens", "[-1,4]")], field: "cu_seqlens", index: [0]),
        .columnar(.invalidElementType, [("cu_seqlens", "[0,1.5,4]")], field: "cu_seqlens"),
        .columnar(
            .invalidValue, [("response_mask", "[[1,2],[0,1]]")], field: "response_mask", index: [0, 1]),
        .columnar(
            .invalidValue, [("response_mask", "[[1,1],[0.5,1]]")], field: "response_mask", index: [1, 0]),
        .columnar(
            .invalidValue, [("response_mask", "[[1,1],[0,-1]]")], field: "response_mask", index: [1, 1]),
        .columnar(.invalidValue, [("token_ids", "[[1,2],[-5,0]]")], field: "token_ids", index: [1, 0]),
    ]

    @Test(arguments: batches) func `a wrong batch is answered with its kind and place`(wrong: WrongRequest)
        throws
    {
        try expect(wrong)
    }

    static let results: [WrongRequest] = [
        // e^800 overflows where no clamp bounds it.
        .columnar(
            .nonFiniteValue,
            [
                ("original.log_probs", "[[-800,-1],[-1,-1]]"),
                ("options", #"{"clamp_input":null,"clamp_result":null,"gate":"none"}"#),
            ], field: "grad.original.log_probs", index: [0, 0]),
        .columnar(
            .nonFiniteValue,
            [
                ("original.log_probs", "[[-800,-1],[-1,-1]]"),
                ("options", #"{"clamp_input":null,"clamp_result":null,"gate":"none","return":[]}"#),
            ], field: "diagnostics"),
        .columnar(
            .nonFiniteValue,
            [
                ("original.log_probs", "[[-1e300,-1],[-1,-1]]"),
                ("options", #"{"estimator":"k2","gate":"none","return":["mask"]}"#),
            ]),
        .columnar(
            .nonFiniteValue,
            [
                ("removing.entropy", "[[1e308,1e308],[1,1]]"),
                ("options", #"{"return":["mask"],"gate":"none"}"#),
            ], field: "diagnostics"),
        .columnar(
            .nonFiniteValue, [("removing.entropy", "[[1e39,1],[1,1]]")], field: "delta_entropy",
            index: [0, 0]),
        .columnar(
            .nonFiniteValue,
            [("options", #"{"tau":1e-308,"gate":"none"}"#), ("preserving.log_probs", "[[-9,-9],[-9,-9]]")],
            field: "loss"),
        .columnar(
            .nonFiniteValue,
            [
                ("options", #"{"coefficient":1e308,"tau":1e-5,"detector":"none"}"#),
                ("removing.log_probs", "[[-1,-2],[-3,-4]]"), ("preserving.log_probs", "[[-9,-9],[-9,-9]]"),
            ], field: "weighted_loss"),
        .columnar(.nonFiniteValue, [("options", #"{"grad_scale":1e300}"#)]),
        WrongRequest(
            .nonFiniteValue, "/v1/score?gate=none&detector=none&estimator=full_kl",
            #"{"original.logits":[[[0,0]]],"preserving.logits":[[[0,0]]],"removing.logits":[[[1e308,-1e308]]]}"#,
            field: "removing.logits",
            index: [0, 0]),
    ]

    @Test(arguments: results) func `a result that is not finite is refused, whatever is returned`(
        wrong: WrongRequest
    ) throws {
        try expect(wrong)
    }

    @Test func `every wrong element is named, up to twenty, and the rest counted`() throws {
        let service = TestService()
        let bad = "[[\(Array(repeating: "7", count: 50).joined(separator: ","))]]"
        let zeros = "[[\(Array(repeating: "0", count: 50).joined(separator: ","))]]"
        let text = """
            {"options":{"gate":"none","detector":"none"},"response_mask":\(bad),"original.log_probs":\(zeros),
            "preserving.log_probs":[[1]],"removing.log_probs":[[1]],"token_ids":\(bad.replacing("7", with: "-7"))}
            """
        let reply = try service.post(text: text, to: "/v1/score").json(.unprocessableContent)
        // The gravest kind comes first, by the order of the kinds.
        #expect(reply["type"] == "invalid-shape")
        let fields = reply["errors"]?.array?.compactMap { $0["field"]?.string } ?? []
        #expect(Set(fields) == ["preserving.log_probs", "removing.log_probs", "response_mask", "token_ids"])
        #expect(fields.count <= 20)
        #expect(fields.first == "preserving.log_probs" && reply["detail"]?.string?.contains("more") == true)
    }

    @Test func `a whole list of bad rollouts makes one short answer`() throws {
        let rollouts = Array(repeating: #"{"nonsense":1}"#, count: 5000).joined(separator: ",")
        let reply = try TestService().post(text: "{\"rollouts\":[\(rollouts)]}", to: "/v1/score").json(
            .badRequest)
        #expect(reply["errors"]?.array?.count == 20)
        #expect(reply["detail"]?.string?.contains("4999 more") == true)
    }

    private func expect(_ wrong: WrongRequest) throws {
        try TestService().post(text: wrong.body, to: wrong.path).expectProblem(
            wrong.kind, field: wrong.field, index: wrong.index, byte: wrong.byte)
    }
}
