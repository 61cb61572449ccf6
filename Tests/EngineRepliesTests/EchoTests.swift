import EngineReplies
import Testing

@Suite("Echoed entries of generated tokens")
struct EchoTests {
    private func echo(_ logProbs: String, usage: String, choices: Int = 1) -> String {
        let choice = #"{"logprobs":{"token_logprobs":\#(logProbs)}}"#
        let list = [String](repeating: choice, count: choices).joined(separator: ",")
        return #"{"choices":[\#(list)]\#(usage.isEmpty ? "" : ",\"usage\":" + usage)}"#
    }

    @Test("As many entries are dropped from the end as tokens were generated")
    func dropping() throws {
        let list = "[null,-1,-2,-3]"
        for (usage, last) in [
            (#"{"completion_tokens":0}"#, -3.0), (#"{"completion_tokens":1}"#, -2),
            (#"{"prompt_tokens":2,"completion_tokens":2}"#, -1),
        ] {
            #expect(
                try Replies.response(echo(list, usage: usage), last: 1, needsBest: false).logProbs == [last])
        }
    }

    @Test("A token that was generated and counted but not echoed is not dropped")
    func countedOnly() throws {
        // What vLLM answers to max_tokens 0.
        let text = echo("[null,-1,-2]", usage: #"{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}"#)
        #expect(try Replies.response(text, last: 1, needsBest: false).logProbs == [-2])
    }

    @Test("Where the count is unknown, nothing is guessed")
    func unknownCounts() {
        for usage in ["", "null", "{}", #"{"completion_tokens":null}"#, #"{"completion_tokens":-1}"#] {
            #expect(
                Replies.error(echo("[null,-1]", usage: usage))
                    == EngineReplyError(.missingMember("completion_tokens"), path: "usage"))
        }
        #expect(
            Replies.error(echo("[null,-1]", usage: #"{"completion_tokens":2}"#, choices: 2))
                == EngineReplyError(.severalChoices(2), path: "choices"))
        #expect(
            Replies.error(echo("[null,-1]", usage: #"{"completion_tokens":3}"#))?.reason
                == .tooFewEntries(expected: 3, found: 2))
    }

    @Test("Lists and log-probs must be of one length")
    func lengths() {
        let text =
            #"{"choices":[{"logprobs":{"token_logprobs":[null,-1],"top_logprobs":[null]}}],"usage":{"completion_tokens":0}}"#
        #expect(
            Replies.error(text)
                == EngineReplyError(
                    .lengthsDiffer(expected: 2, found: 1), path: "choices[0].logprobs.top_logprobs"))
    }
}
