package import JSON

/// The reason why an inference engine's reply cannot score a response, with its position in the reply.
package struct EngineReplyError: Error, Sendable, Equatable {
    package enum Reason: Sendable, Equatable {
        /// The text is malformed, or contains a value of the wrong kind.
        case json(JSONError.Reason)
        /// The reply has none of the known forms.
        case unknownForm
        /// The reply has only log-probs of generated tokens, which cannot score one response under several images.
        case onlyGenerated
        /// The member is null, because it was not requested from the engine.
        case notAskedFor
        case missingMember(String)
        /// The text is not a whole number in the form of token ids.
        case invalidTokenID(String)
        case duplicateTokenID(Int)
        case invalidCount(expected: String, found: String)
        case lengthsDiffer(expected: Int, found: Int)
        /// The text is not base64; the value is the first invalid byte.
        case invalidBase64(offset: Int)
        case unsupportedElementType(String, expected: String)
        /// The number of echoed entries of generated tokens is unknown, because usage counts the tokens of all choices.
        case severalChoices(Int)
        case tooFewEntries(expected: Int, found: Int)
        /// The reply is about another token. `position` counts within the response.
        case otherToken(position: Int, expected: Int, found: Int)
        /// A token of the response has probability 0, or the engine gave it no log-prob.
        case impossibleToken(position: Int)
        /// The number is NaN, or above 0 by more than rounding explains, as raw logits may be.
        case notALogProb(Double, position: Int)
        /// The list of likeliest tokens is missing, but an entropy needs it.
        case noBest(position: Int)
    }

    package let reason: Reason
    /// The path in the reply, such as `prompt_logprobs[5]["785"].logprob`; empty for the reply itself.
    package let path: String
    /// The offset in the text, if the text itself is at fault.
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
            "not a reply of a known form: vLLM has prompt_logprobs at the top or in choices[0], its echo "
                + "choices[0].logprobs.token_logprobs, SGLang meta_info.input_token_logprobs"
        case .onlyGenerated:
            "only log-probs of generated tokens, which cannot score one response under several images; ask for the "
                + "prompt's: prompt_logprobs (vLLM), return_logprob with logprob_start_len (SGLang)"
        case .notAskedFor: "null: log-probs of the prompt were not requested from the engine"
        case .missingMember(let name): "the member \"\(name)\" is missing"
        case .invalidTokenID(let text): "\"\(text)\" is not a token id"
        case .duplicateTokenID(let id): "token \(id) appears twice in one list"
        case .invalidCount(let expected, let found): "expected \(expected), found \(found)"
        case .lengthsDiffer(let expected, let found): "\(found) entries instead of \(expected)"
        case .invalidBase64(let offset): "not base64 from character \(offset) on"
        case .unsupportedElementType(let found, let expected):
            "elements of type \"\(found)\" instead of \"\(expected)\""
        case .severalChoices(let count):
            "\(count) choices: usage does not say how many of the echoed entries were generated"
        case .tooFewEntries(let expected, let found):
            "the reply has \(found) entries, and the response \(expected) tokens"
        case .otherToken(let position, let expected, let found):
            "token \(position) of the response is \(expected), but the reply scores \(found)"
        case .impossibleToken(let position):
            "token \(position) of the response has probability 0, or no log-prob"
        case .notALogProb(let value, let position):
            "\(value) at token \(position) of the response is not a log-prob"
        case .noBest(let position):
            "the likeliest tokens at token \(position) of the response are missing, and its entropy needs them"
        }
    }
}
