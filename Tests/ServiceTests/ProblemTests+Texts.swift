import Service

/// Texts that are wrong by themselves, and what is said of each.
extension ProblemTests {
    static let texts: [WrongRequest] = [
        WrongRequest(.malformedJSON, "/v1/score", "", byte: 0),
        WrongRequest(.malformedJSON, "/v1/score", "{\"rollouts\":[", byte: 13),
        WrongRequest(.malformedJSON, "/v1/score", "{\"rollouts\":[]}x", byte: 15),
        WrongRequest(.malformedJSON, "/v1/score", "{\"rollouts\":[],}", byte: 15),
        WrongRequest(
            .malformedJSON, "/v1/score", #"{"rollouts":[{"original":{"log_probs":[-1,NaN]}}]}"#,
            field: "rollouts[0].original.log_probs", byte: 42),
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
            .invalidType, "/v1/score", #"{"rollouts":[{"original":[1]}]}"#, field: "rollouts[0].original",
            byte: 25),
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
        WrongRequest(.unknownField, "/v1/mask", #"{"original.logits":[]}"#, field: "original.logits"),
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
            #"{"rollouts":[{\#(rollout),"advantage":1,"reward":1,"group_id":1}]}"#,
            field: "rollouts[0].advantages"),
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
}
