package import JSON

/// Why an inference engine's reply cannot score a response, and where in the reply.
package struct EngineReplyError: Error, Sendable, Equatable {
    package enum Reason: Sendable, Equatable {
        /// The text is malformed, or holds another kind of value than the form has there.
        case json(JSONError.Reason)
        /// None of the known forms.
        case unknownForm
        /// Only log-probs of generated tokens, which cannot score one response under several images.
        case onlyGenerated
        /// The member is null: the engine was not asked for it.
        case notAskedFor
        case missingMember(String)
        /// Not a whole number of the form that token ids are written in.
        case invalidTokenID(String)
        case duplicateTokenID(Int)
        case invalidCount(expected: String, found: String)
        case lengthsDiffer(expected: Int, found: Int)
        /// The first byte of the text that is not base64.
        case invalidBase64(offset: Int)
        case unsupportedElementType(String, expected: String)
        /// How many echoed entries belong to generated tokens is unknown: usage counts the tokens of all choices.
        case severalChoices(Int)
        case tooFewEntries(expected: Int, found: Int)
        /// The reply is about another token. `position` counts within the response.
        case otherToken(position: Int, expected: Int, found: Int)
        /// A token of the response has probability 0, or the engine gave it no log-prob.
        case impossibleToken(position: Int)
        /// NaN, or above 0 by more than rounding explains, as raw logits may be.
        case notALogProb(Double, position: Int)
        /// The list of likeliest tokens is missing, and an entropy is wanted.
        case noBest(position: Int)
    }

    package let reason: Reason
    /// Members and indices from the reply's top, such as `prompt_logprobs[5]["785"].logprob`; empty for the reply.
    package let path: String
    /// Offset in the text that was read, where the text itself is at fault.
    package let byte: Int?

    package init(_ reason: Reason, path: String, byte: Int? = nil) {
        self.reason = reason
        self.path = path
        self.byte = byte
    }
}

extension EngineReplyError: CustomStringConvertible {
    package var description: String {
        switch reason {
        case .json(let reason): JSONError(reason, byte: byte ?? 0).description
        case .unknownForm:
            "no reply of a known form: vLLM has prompt_logprobs at the top or in choices[0], its echo "
                + "choices[0].logprobs.token_logprobs, SGLang meta_info.input_token_logprobs"
        case .onlyGenerated:
            "only log-probs of generated tokens, which cannot score one response under several images; ask for the "
                + "prompt's: prompt_logprobs (vLLM), return_logprob with logprob_start_len (SGLang)"
        case .notAskedFor: "null: the engine was not asked for log-probs of the prompt"
        case .missingMember(let name): "the member \"\(name)\" is missing"
        case .invalidTokenID(let text): "\"\(text)\" is no token id"
        case .duplicateTokenID(let id): "token \(id) stands twice in one list"
        case .invalidCount(let expected, let found): "expected \(expected), found \(found)"
        case .lengthsDiffer(let expected, let found): "\(found) entries where there must be \(expected)"
        case .invalidBase64(let offset): "not base64 from character \(offset) on"
        case .unsupportedElementType(let found, let expected):
            "elements of type \"\(found)\", where \"\(expected)\" is understood"
        case .severalChoices(let count):
            "\(count) choices: usage doesn't say how many of the echoed entries were generated"
        case .tooFewEntries(let expected, let found):
            "the reply has \(found) entries, and the response \(expected) tokens"
        case .otherToken(let position, let expected, let found):
            "token \(position) of the response is \(expected), but the reply scores \(found)"
        case .impossibleToken(let position):
            "token \(position) of the response has probability 0, or no log-prob"
        case .notALogProb(let value, let position):
            "\(value) at token \(position) of the response is no log-prob"
        case .noBest(let position):
            "the likeliest tokens at token \(position) of the response are missing, and its entropy needs them"
        }
    }
}
