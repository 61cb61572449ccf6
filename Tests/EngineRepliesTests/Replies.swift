import EngineReplies
import JSON

/// Replies written after the documented shapes, and what was read from them.
enum Replies {
    /// vLLM's chat form, k = 2: the realised token is listed at position 1, and outside the list at position 2.
    static let chat =
        #"{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"."},"logprobs":null,"finish_reason":"length"}],"prompt_token_ids":[151644,785,8251],"prompt_logprobs":[null,{"785":{"logprob":-0.31,"rank":1,"decoded_token":"The"},"32":{"logprob":-1.9,"rank":2,"decoded_token":"A"}},{"8251":{"logprob":-2.3,"rank":3,"decoded_token":" cat"},"5562":{"logprob":-0.2,"rank":1,"decoded_token":" dog"},"6303":{"logprob":-2.1,"rank":2,"decoded_token":" blue"}}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}"#

    /// The same in vLLM's completions, beside an echo that says less.
    static let completions =
        #"{"choices":[{"text":"The cat.","logprobs":{"tokens":["<s>"],"token_logprobs":[null],"top_logprobs":[null],"text_offset":[0]},"prompt_logprobs":[null,{"785":{"logprob":-0.31},"32":{"logprob":-1.9}},{"8251":{"logprob":-2.3},"5562":{"logprob":-0.2},"6303":{"logprob":-2.1}}]}]}"#

    /// vLLM's echo with one generated token after three of the prompt.
    static let echo =
        #"{"choices":[{"index":0,"text":"The cat.","logprobs":{"text_offset":[0,3,6,10],"token_logprobs":[null,-0.31,-2.3,-0.01],"tokens":["<s>","The"," cat","."],"top_logprobs":[null,{"The":-0.31,"A":-1.9},{" cat":-2.3," dog":-0.2," blue":-2.1},{".":-0.01,"!":-5.0}]},"prompt_logprobs":null}],"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}"#

    /// SGLang's triples.
    static let triples =
        #"{"text":"","meta_info":{"id":"y","prompt_tokens":4,"completion_tokens":0,"input_token_logprobs":[[null,315,null],[-3.53125,9625,null],[-2.84375,374,null]],"output_token_logprobs":[],"input_top_logprobs":[null,[[-1.0390625,279,null],[-3.53125,9625,null]],[[-2.09375,13,null],[-2.34375,58883,null]]]}}"#

    static let flat = withTop(
        #""input_top_logprobs_val_flat":[-1.0390625,-3.53125,-2.09375,-2.34375],"input_top_logprobs_idx_flat":[279,9625,13,58883],"input_top_logprobs_shape":[2,2],"input_top_logprobs_null_prefix":1"#
    )

    static let base64 = withTop(
        #""input_top_logprobs_val_flat_b64":"AACFvwAAYsAAAAbAAAAWwA==","input_top_logprobs_idx_flat_b64":"FwEAAJklAAANAAAAA+YAAA==","input_top_logprobs_val_flat_b64_dtype":"float32","input_top_logprobs_idx_flat_b64_dtype":"int32","input_top_logprobs_shape":[2,2],"input_top_logprobs_null_prefix":1"#
    )

    /// SGLang's reply with other members in place of its nested lists.
    static func withTop(_ members: String) -> String {
        #"{"meta_info":{"input_token_logprobs":[[null,315,null],[-3.53125,9625,null],[-2.84375,374,null]],\#(members)}}"#
    }

    /// A vLLM reply that holds nothing but its lists.
    static func prompt(_ positions: String...) -> String {
        #"{"prompt_logprobs":[\#(positions.joined(separator: ","))]}"#
    }

    static let all = [
        ("chat", chat), ("completions", completions), ("echo", echo), ("triples", triples), ("flat", flat),
        ("base64", base64),
    ]

    static func read(_ text: String) throws(EngineReplyError) -> EngineReply {
        var reader = JSONReader(Array(text.utf8))
        let reply = try EngineReply(reading: &reader)
        do throws(JSONError) { try reader.end() } catch {
            throw EngineReplyError(.json(error.reason), path: "", byte: error.byte)
        }
        return reply
    }

    static func response(
        _ text: String, last count: Int, needsBest: Bool = true
    ) throws(EngineReplyError) -> EngineResponse {
        try read(text).response(last: count, needsBest: needsBest)
    }

    /// The error of reading a text and cutting its last positions; nil when there is none.
    static func error(_ text: String, last count: Int = 0, needsBest: Bool = true) -> EngineReplyError? {
        do throws(EngineReplyError) {
            _ = try response(text, last: count, needsBest: needsBest)
            return nil
        } catch { return error }
    }
}
