import HTTP
import HTTPTypes
import JSON
import Service
import Tensor
import Testing

/// A request that is wrong in one way, and what must be said of it.
struct WrongRequest: Sendable, CustomTestStringConvertible {
    let kind: Problem.Kind
    let path: String
    let body: String
    var field: String?
    var index: [Int]?
    var byte: Int?

    init(
        _ kind: Problem.Kind, _ path: String, _ body: String, field: String? = nil, index: [Int]? = nil,
        byte: Int? = nil
    ) {
        self.kind = kind
        self.path = path
        self.body = body
        self.field = field
        self.index = index
        self.byte = byte
    }

    var testDescription: String { "\(kind.rawValue) \(path) \(body.prefix(120))" }

    /// Two rows of two tokens that are right but for what is put in place of, or beside, their members.
    static func columnar(
        _ kind: Problem.Kind, _ changes: [(String, String?)], field: String? = nil, index: [Int]? = nil,
        query: String = ""
    ) -> WrongRequest {
        var members = [
            ("original.log_probs", "[[-1,-2],[-3,-4]]"), ("preserving.log_probs", "[[-1,-2],[-3,-4]]"),
            ("removing.log_probs", "[[-2,-3],[-4,-5]]"), ("original.entropy", "[[1,1],[1,1]]"),
            ("removing.entropy", "[[2,2],[2,2]]"), ("advantages", "[1,-1]"),
        ]
        for (name, text) in changes {
            members.removeAll { $0.0 == name }
            if let text { members.append((name, text)) }
        }
        let text = "{" + members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
        return WrongRequest(kind, "/v1/score\(query)", text, field: field, index: index)
    }
}

/// Every way for a request for numbers to be wrong.
@Suite struct ProblemTests {
    static let view = #"{"log_probs":[-1],"entropy":[1]}"#
    static let rollout = #""original":\#(view),"preserving":\#(view),"removing":\#(view)"#

    static let texts: [WrongRequest] = [
        WrongRequest(.malformedJSON, "/v1/score", "", byte: 0),
        WrongRequest(.malformedJSON, "/v1/score", "{\"rollouts\":[", byte: 13),
        WrongRequest(.malformedJSON, "/v1/score", "{\"rollouts\":[]}x", byte: 15),
        WrongRequest(.malformedJSON, "/v1/score", "{\"rollouts\":[],}", byte: 15),
        WrongRequest(
            .malformedJSON, "/v1/score", #"{"rollouts":[{"original":{"log_probs":[-1,NaN]}}]}"#,
            field: "rollouts[0]", byte: 42),
        WrongRequest(
            .malformedJSON, "/v1/score", #"{"original.log_probs":[[-Infinity]]}"#,
            field: "original.log_probs", byte: 24),
        WrongRequest(
            .malformedJSON, "/v1/score", #"{"original.log_probs":[[-1,]]}"#, field: "original.log_probs",
            byte: 27),
        WrongRequest(
            .malformedJSON, "/v1/score", #"{"original.log_probs":[[1e400]]}"#, field: "original.log_probs",
            byte: 24),
        WrongRequest(
            .malformedJSON, "/v1/score", #"{"original.log_probs":[],"original.log_probs":[]}"#, byte: 25),
        WrongRequest(
            .malformedJSON, "/v1/score", #"{"rollouts":[{"id":1,"id":2}]}"#, field: "rollouts[0]", byte: 21),
        WrongRequest(
            .malformedJSON, "/v1/score", #"{"options":{"tau":1,"tau":2}}"#, field: "options", byte: 20),
        WrongRequest(
            .malformedJSON, "/v1/score", #"{"original.logits":[[[[[1]]]]]}"#, field: "original.logits"),
        WrongRequest(.invalidType, "/v1/mask", "nul", byte: 0),
        WrongRequest(.invalidType, "/v1/mask", "null", byte: 0),
        WrongRequest(.invalidType, "/v1/score", "[]", byte: 0),
        WrongRequest(.invalidType, "/v1/score", "\"{}\"", byte: 0),
        WrongRequest(.invalidType, "/v1/score", #"{"options":[]}"#, field: "options"),
        WrongRequest(.invalidType, "/v1/score", #"{"rollouts":{}}"#, field: "rollouts", byte: 12),
        WrongRequest(.invalidType, "/v1/score", #"{"rollouts":[[]]}"#, field: "rollouts[0]", byte: 13),
        WrongRequest(
            .invalidType, "/v1/score", #"{"rollouts":[{"original":[1]}]}"#, field: "rollouts[0]", byte: 25),
        WrongRequest(.invalidType, "/v1/score", #"{"rollouts":[{"original":{"log_probs":1}}]}"#, byte: 38),
        WrongRequest(
            .invalidType, "/v1/score", #"{"rollouts":[{"original":{"log_probs":["1"]}}]}"#, byte: 39),
        WrongRequest(.invalidType, "/v1/score", #"{"rollouts":[{"advantage":"1"}]}"#, byte: 26),
        WrongRequest(.invalidType, "/v1/score", #"{"rollouts":[{"advantage":null}]}"#, byte: 26),
        WrongRequest(
            .invalidType, "/v1/score", #"{"original.log_probs":1}"#, field: "original.log_probs", byte: 22),
        WrongRequest(
            .invalidType, "/v1/score", #"{"original.log_probs":[1,[2]]}"#, field: "original.log_probs",
            byte: 25),
        WrongRequest(
            .invalidType, "/v1/score", #"{"original.log_probs":[[1],2]}"#, field: "original.log_probs",
            byte: 27),
        WrongRequest(
            .invalidType, "/v1/score", #"{"original.log_probs":[[true]]}"#, field: "original.log_probs",
            byte: 24),
        WrongRequest(.invalidType, "/v1/score", #"{"rollouts":[{"id":1.5}]}"#, field: "rollouts[0].id"),
        WrongRequest(.invalidType, "/v1/score", #"{"rollouts":[{"id":null}]}"#, field: "rollouts[0].id"),
        WrongRequest(
            .invalidType, "/v1/advantages", #"{"rewards":[1],"group_ids":[1.5]}"#, field: "group_ids",
            byte: 28),
        WrongRequest(
            .invalidType, "/v1/advantages", #"{"rewards":[1],"group_ids":[null]}"#, field: "group_ids",
            byte: 28),
        WrongRequest(.unknownField, "/v1/score", #"{"rolouts":[]}"#, field: "rolouts"),
        WrongRequest(.unknownField, "/v1/score", #"{"logits":[]}"#, field: "logits"),
        WrongRequest(
            .unknownField, "/v1/score", #"{"rollouts":[{"original":{"logprobs":[1]}}]}"#,
            field: "rollouts[0].original.logprobs"),
        WrongRequest(
            .unknownField, "/v1/score", #"{"rollouts":[{"rewards":[1]}]}"#, field: "rollouts[0].rewards"),
        WrongRequest(
            .unknownField, "/v1/mask", #"{"rollouts":[{"preserving":{"entropy":[1]}}]}"#,
            field: "rollouts[0].preserving"),
        WrongRequest(.unknownField, "/v1/mask", #"{"token_ids":[]}"#, field: "token_ids"),
        WrongRequest(
            .unknownField, "/v1/entropy", #"{"response_mask":[[1]],"logits":[[[1]]]}"#, field: "response_mask"
        ),
        WrongRequest(.unknownField, "/v1/advantages", #"{"advantages":[1]}"#, field: "advantages"),
        WrongRequest(.missingField, "/v1/score", "{}"), WrongRequest(.missingField, "/v1/mask", "{}"),
        WrongRequest(.missingField, "/v1/entropy", "{}", field: "logits"),
        WrongRequest(.missingField, "/v1/entropy", #"{"cu_seqlens":[0,1]}"#, field: "logits"),
        WrongRequest(.missingField, "/v1/entropy", #"{"token_ids":[[1]]}"#, field: "logits"),
        WrongRequest(.missingField, "/v1/entropy", #"{"rollouts":[{"id":1}]}"#, field: "logits"),
        WrongRequest(
            .missingField, "/v1/entropy?return=log_probs,entropy", #"{"logits":[[0,1]]}"#, field: "token_ids"),
        WrongRequest(
            .missingField, "/v1/entropy", #"{"options":{"return":["log_probs"]},"logits":[[0,1]]}"#,
            field: "token_ids"),
        WrongRequest(.missingField, "/v1/advantages", "{}", field: "rewards"),
        WrongRequest(.missingField, "/v1/advantages", #"{"rewards":[1]}"#, field: "group_ids"),
        WrongRequest(.missingField, "/v1/advantages", #"{"group_ids":[1]}"#, field: "rewards"),
        WrongRequest(
            .missingField, "/v1/advantages", #"{"rollouts":[{"reward":1}]}"#, field: "rollouts[0].group_id"),
        WrongRequest(
            .missingField, "/v1/advantages", #"{"rollouts":[{"group_id":1}]}"#, field: "rollouts[0].reward"),
        WrongRequest(
            .missingField, "/v1/score", #"{"rollouts":[{\#(rollout),"advantage":1},{\#(rollout)}]}"#,
            field: "rollouts[1].advantage"),
        WrongRequest(.missingField, "/v1/score", #"{"rollouts":[{\#(rollout)}]}"#, field: "advantages"),
        WrongRequest(
            .missingField, "/v1/score",
            #"{"rollouts":[{\#(rollout),"reward":1,"group_id":1},{\#(rollout)}]}"#,
            field: "rollouts[1].reward"),
        WrongRequest(
            .missingField, "/v1/score?gate=none", #"{"rollouts":[{\#(rollout)},{"original":\#(view)}]}"#,
            field: "rollouts[1].removing.entropy"),
        WrongRequest(
            .missingField, "/v1/score?gate=none", #"{"rollouts":[{"original":\#(view)}]}"#,
            field: "preserving.log_probs"),
        WrongRequest(
            .missingField, "/v1/score?estimator=jsd&gate=none", #"{"rollouts":[{\#(rollout)}]}"#,
            field: "removing.logits"),
        WrongRequest(
            .missingField, "/v1/mask?gate=none", #"{"original.entropy":[[1]]}"#, field: "removing.entropy"),
        WrongRequest(
            .missingField, "/v1/mask?gate=none&detector=none", #"{"rollouts":[{"advantage":1}]}"#,
            field: "response_mask"),
        WrongRequest(
            .conflictingFields, "/v1/score", #"{"rollouts":[],"original.log_probs":[[1]]}"#, field: "rollouts"
        ),
        WrongRequest(
            .conflictingFields, "/v1/score",
            #"{"rollouts":[{\#(rollout),"advantage":1,"reward":1,"group_id":1}]}"#, field: "rollouts[0]"),
        WrongRequest(
            .conflictingFields, "/v1/score", #"{"rollouts":[{\#(rollout),"advantage":1,"advantages":[1]}]}"#,
            field: "rollouts[0]"),
        WrongRequest(
            .conflictingFields, "/v1/entropy", #"{"logits":[[1]],"original.logits":[[1]]}"#, field: "logits"),
        WrongRequest(.invalidShape, "/v1/score", #"{"rollouts":[{\#(rollout),"response_mask":[1,1]}]}"#),
        WrongRequest(
            .invalidShape, "/v1/entropy", #"{"rollouts":[{"logits":[[1,2],[1]]}]}"#,
            field: "rollouts[0].logits", index: [1]),
        WrongRequest(
            .invalidShape, "/v1/entropy", #"{"rollouts":[{"logits":[[1]]},{"logits":[[1,2]]}]}"#,
            field: "rollouts[1].logits", index: [0]),
        WrongRequest(.invalidShape, "/v1/entropy", #"{"rollouts":[{"logits":[[],[]]}]}"#),
        WrongRequest(.invalidShape, "/v1/entropy", #"{"logits":[[[],[]]]}"#, field: "logits"),
        WrongRequest(.invalidShape, "/v1/entropy", #"{"logits":[1,2]}"#, field: "logits"),
        WrongRequest(.invalidShape, "/v1/entropy", #"{"logits":[[1,2],[1]]}"#, field: "logits"),
        WrongRequest(.invalidShape, "/v1/entropy", #"{"logits":[[[[1]]]]}"#, field: "logits"),
        WrongRequest(
            .invalidShape, "/v1/entropy", #"{"logits":[[1,2]],"token_ids":[[0]]}"#, field: "token_ids"),
        WrongRequest(
            .invalidShape, "/v1/entropy", #"{"logits":[[1,2]],"cu_seqlens":[0,2]}"#, field: "cu_seqlens",
            index: [1]),
        WrongRequest(
            .invalidShape, "/v1/advantages", #"{"rewards":[1,2],"group_ids":[1]}"#, field: "group_ids"),
        WrongRequest(
            .invalidShape, "/v1/advantages", #"{"rewards":[[1,2]],"group_ids":[1,1]}"#, field: "rewards"),
        WrongRequest(
            .invalidValue, "/v1/entropy", #"{"logits":[[1,2]],"token_ids":[2]}"#, field: "token_ids",
            index: [0]),
        WrongRequest(
            .invalidValue, "/v1/entropy", #"{"logits":[[1,2]],"token_ids":[-1]}"#, field: "token_ids",
            index: [0]),
        WrongRequest(
            .invalidElementType, "/v1/entropy", #"{"logits":[[1,2]],"token_ids":[0.5]}"#, field: "token_ids"),
        WrongRequest(
            .nonFiniteValue, "/v1/advantages?std_epsilon=0&advantage_estimator=dr_grpo",
            #"{"rewards":[1e308,-1e308],"group_ids":[1,1]}"#, field: "advantages"),
        WrongRequest(.invalidOption, "/v1/score", #"{"options":{"tau":0}}"#, field: "tau"),
        WrongRequest(.unknownOption, "/v1/score", #"{"options":{"top_k":0.5}}"#, field: "top_k"),
        WrongRequest(.unknownOption, "/v1/entropy?gate=none", #"{"logits":[[1]]}"#, field: "gate"),
        WrongRequest(.unknownOption, "/v1/advantages?tau=1", #"{"rewards":[],"group_ids":[]}"#, field: "tau"),
        WrongRequest(.malformedRequest, "/v1/score?tau=1&gate=none&tau=1", #"{"rollouts":[]}"#, field: "tau"),
    ]

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
                ("removing.log_probs", "[[800,1],[1,1]]"),
                ("options", #"{"clamp_input":null,"clamp_result":null,"gate":"none"}"#),
            ], field: "grad.removing.log_probs", index: [0, 0]),
        .columnar(
            .nonFiniteValue,
            [
                ("removing.log_probs", "[[800,1],[1,1]]"),
                ("options", #"{"clamp_input":null,"clamp_result":null,"gate":"none","return":[]}"#),
            ], field: "diagnostics"),
        .columnar(
            .nonFiniteValue,
            [
                ("original.log_probs", "[[1e300,1],[1,1]]"),
                ("options", #"{"estimator":"k2","gate":"none","return":["mask"]}"#),
            ]),
        .columnar(
            .nonFiniteValue,
            [
                ("removing.entropy", "[[1e308,1],[1,1]]"), ("original.entropy", "[[-1e308,1],[1,1]]"),
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
        .columnar(
            .nonFiniteValue, [("advantages", nil), ("rewards", "[1e308,-1e308]"), ("group_ids", "[1,1]")],
            field: "rewards", index: [0]),
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
