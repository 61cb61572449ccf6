import EngineReplies
import JSON
import Testing

@Suite("The rules that keep engines' replies right")
struct RuleTests {
    @Test(
        "Every form gives the same response",
        arguments: [("chat", Replies.chat), ("completions", Replies.completions), ("echo", Replies.echo)])
    func formsOfTheFirstEngine(_ name: String, _ text: String) throws {
        let response = try Replies.response(text, last: 2)
        #expect(response.logProbs == [-0.31, -2.3])
        #expect(response.ids == (name == "echo" ? [nil, nil] : [785, 8251]))
        let best = try #require(response.best)
        #expect(best.logProbs == [-0.31, -1.9, -0.2, -2.1])
        #expect(best.offsets == [0, 2, 4])
        #expect(best.realised == [.listed, .outside])
        #expect(best.ids == (name == "echo" ? [] : [785, 32, 5562, 6303]))
    }

    @Test("Triples, flat lists and base64 say the same", arguments: ["triples", "flat", "base64"])
    func formsOfTheSecondEngine(_ name: String) throws {
        let text = try #require(Replies.all.first { $0.0 == name }).1
        let response = try Replies.response(text, last: 2)
        #expect(response.ids == [9625, 374] && response.logProbs == [-3.53125, -2.84375])
        let best = try #require(response.best)
        #expect(best.ids == [279, 9625, 13, 58883])
        #expect(best.logProbs == [-1.0390625, -3.53125, -2.09375, -2.34375])
        #expect(best.offsets == [0, 2, 4] && best.realised == [.listed, .outside])
    }

    @Test("Rule 1: the response is cut from the end, whatever precedes it", arguments: Replies.all)
    func cutFromTheEnd(_ name: String, _ text: String) throws {
        let reply = try Replies.read(text)
        #expect(reply.count == 3)
        let one = try reply.response(last: 1, needsBest: true)
        let two = try reply.response(last: 2, needsBest: true)
        #expect(one.logProbs == [two.logProbs[1]] && one.ids == [two.ids[1]])
        #expect(one.best?.logProbs == two.best.map { Array($0.logProbs.suffix(2)) })
        #expect(try reply.response(last: 0, needsBest: true).logProbs == [])
        do throws(EngineReplyError) {
            _ = try reply.response(last: 4, needsBest: false)
            Issue.record("more than there is was cut")
        } catch {
            #expect(error.reason == .tooFewEntries(expected: 4, found: 3))
        }
    }

    @Test("What does not count is not read")
    func outsideOfTheResponse() throws {
        let reply = try Replies.read(Replies.chat)
        // At the first position of three there is nothing at all.
        let ids = [-100, nil, 8251]
        let response = try reply.response(tokenIDs: ids, responseMask: [0, 1, 1], needsBest: true)
        let whole = try reply.response(last: 2, needsBest: true)
        #expect(response.logProbs == [0] + whole.logProbs)
        #expect(response.best?.offsets == [0] + (whole.best?.offsets ?? []))
        #expect(response.best?.logProbs == whole.best?.logProbs)
        #expect(response.best?.realised.suffix(2) == whole.best?.realised[...])
        #expect(throws: EngineReplyError.self) {
            try reply.response(last: 3, responseMask: [1, 1, 1], needsBest: false)
        }
    }

    @Test("Rule 2: ids that are known on both sides must be equal")
    func equalIDs() throws {
        for (text, ids, path) in [
            (Replies.chat, [785, 8251], "prompt_logprobs[2]"),
            (Replies.completions, [785, 8251], "choices[0].prompt_logprobs[2]"),
            (Replies.triples, [9625, 374], "meta_info.input_token_logprobs[2]"),
        ] {
            let reply = try Replies.read(text)
            #expect(throws: Never.self) { try reply.response(tokenIDs: ids, needsBest: true) }
            // 5562 is in the list, and still not the token that was scored.
            let wrong = EngineReplyError(
                .otherToken(position: 1, expected: 5562, found: ids[1]), path: path)
            #expect(throws: wrong) { try reply.response(tokenIDs: [ids[0], 5562], needsBest: true) }
        }
        // An echo of texts knows none.
        let echo = try Replies.read(Replies.echo)
        #expect(throws: Never.self) { try echo.response(tokenIDs: [1, 2], needsBest: true) }
    }

    @Test("Rule 2: an echo that writes ids in place of texts is compared")
    func echoedIDs() throws {
        let text =
            #"{"choices":[{"logprobs":{"tokens":["token_id:1","token_id:785"],"token_logprobs":[null,-0.5],"top_logprobs":[null,{"token_id:785":-0.5,"token_id:3":-1.5}]}}],"usage":{"completion_tokens":0}}"#
        let reply = try Replies.read(text)
        #expect(try reply.response(tokenIDs: [785], needsBest: true).ids == [785])
        #expect(throws: EngineReplyError.self) { try reply.response(tokenIDs: [3], needsBest: true) }
    }

    @Test("Rule 3: without ids beside it, the first member of a position is the prompt's token")
    func firstMember() throws {
        let text = Replies.prompt(
            #"{"9":{"logprob":-3},"1":{"logprob":-0.5}}"#, #"{"1":{"logprob":-0.5},"9":{"logprob":-3}}"#)
        let response = try Replies.response(text, last: 2)
        #expect(response.ids == [9, 1] && response.logProbs == [-3, -0.5])
        #expect(response.best?.ids == [9, 1, 1, 9])
    }

    @Test("Ids beside the lists name the tokens where a writer has sorted the members")
    func sortedMembers() throws {
        let sorted =
            #"[null,{"32":{"logprob":-1.9},"785":{"logprob":-0.31}},{"5562":{"logprob":-0.2},"6303":{"logprob":-2.1},"8251":{"logprob":-2.3}}]"#
        for (ids, expected) in [
            ("[151644,785,8251]", [785, 8251]),
            // An image is one id here and many positions there, or the other way round: the ends are compared.
            ("[7,7,7,151644,785,8251]", [785, 8251]), ("[8251]", [32, 8251]),
            // What names no token of the lists is not about them.
            ("[1,2,3]", [32, 5562]), ("[785,1.5]", [32, 5562]), (#""none""#, [32, 5562]),
        ] {
            for text in [
                #"{"prompt_token_ids":\#(ids),"prompt_logprobs":\#(sorted)}"#,
                #"{"choices":[{"prompt_logprobs":\#(sorted),"prompt_token_ids":\#(ids)}]}"#,
            ] {
                #expect(try Replies.response(text, last: 2).ids == expected, "\(ids)")
            }
        }
    }

    @Test("Rule 4: a response token of probability 0 is refused with its position")
    func impossibleTokens() {
        for written in ["null", "-9999.0", "-9999", "-99999.0", "-1e300"] {
            #expect(
                Replies.error(
                    Replies.prompt(#"{"5":{"logprob":-1}}"#, #"{"7":{"logprob":\#(written)}}"#), last: 2,
                    needsBest: false)
                    == EngineReplyError(.impossibleToken(position: 1), path: "prompt_logprobs[1]"))
            let triples = #"{"meta_info":{"input_token_logprobs":[[null,3,null],[-1,4],[\#(written),5]]}}"#
            #expect(
                Replies.error(triples, last: 2, needsBest: false)
                    == EngineReplyError(
                        .impossibleToken(position: 1), path: "meta_info.input_token_logprobs[2]"))
            let echo =
                #"{"choices":[{"logprobs":{"token_logprobs":[\#(written)]}}],"usage":{"completion_tokens":0}}"#
            #expect(
                Replies.error(echo, last: 1, needsBest: false)
                    == EngineReplyError(
                        .impossibleToken(position: 0), path: "choices[0].logprobs.token_logprobs[0]"))
        }
        // The prompt's first token has no log-prob in any form, nor has a position without entries.
        for (_, text) in Replies.all {
            #expect(Replies.error(text, last: 3)?.reason == .impossibleToken(position: 0))
        }
        #expect(Replies.error(Replies.prompt("{}"), last: 1)?.reason == .impossibleToken(position: 0))
    }

    @Test("Rule 4: in the tail they mean absent")
    func absentInTheTail() throws {
        let prompt = Replies.prompt(
            #"{"5":{"logprob":-0.1},"6":{"logprob":-9999.0},"7":{"logprob":null},"8":{"logprob":-99999}}"#)
        let tail = [-0.1, -Double.infinity, -.infinity, -.infinity]
        #expect(try Replies.response(prompt, last: 1).best?.logProbs == tail)
        let triples =
            #"{"meta_info":{"input_token_logprobs":[[-0.1,5]],"input_top_logprobs":[[[-0.1,5],[null,6],[-9999,7],[-99999,8]]]}}"#
        #expect(try Replies.response(triples, last: 1).best?.logProbs == tail)
        let flat =
            #"{"meta_info":{"input_token_logprobs":[[-0.1,5]],"input_top_logprobs_val_flat":[-0.1,null,-9999,-99999],"input_top_logprobs_idx_flat":[5,6,7,8],"input_top_logprobs_shape":[1,4],"input_top_logprobs_null_prefix":0}}"#
        #expect(try Replies.response(flat, last: 1).best?.logProbs == tail)
        // −inf in base64 is −inf.
        let base64 =
            #"{"meta_info":{"input_token_logprobs":[[-1.5,5]],"input_top_logprobs_val_flat_b64":"AADAvwAAgP8=","input_top_logprobs_idx_flat_b64":"BQAAAAYAAAA=","input_top_logprobs_shape":[1,2],"input_top_logprobs_null_prefix":0}}"#
        #expect(try Replies.response(base64, last: 1).best?.logProbs == [-1.5, -.infinity])
    }

    @Test("Rule 4: lists may be absent where no entropy needs them, and only there")
    func missingLists() throws {
        let missing = [
            (#"{"meta_info":{"input_token_logprobs":[[null,3],[-1,4]]}}"#, "meta_info.input_top_logprobs"),
            (
                #"{"meta_info":{"input_token_logprobs":[[null,3],[-1,4]],"input_top_logprobs":null}}"#,
                "meta_info.input_top_logprobs"
            ),
            (
                #"{"meta_info":{"input_token_logprobs":[[null,3],[-1,4]],"input_top_logprobs":[null,null]}}"#,
                "meta_info.input_top_logprobs[1]"
            ),
            (
                #"{"meta_info":{"input_token_logprobs":[[null,3],[-1,4]],"input_top_logprobs":[null,[]]}}"#,
                "meta_info.input_top_logprobs[1]"
            ),
            (
                #"{"choices":[{"logprobs":{"token_logprobs":[null,-1],"top_logprobs":null}}],"usage":{"completion_tokens":0}}"#,
                "choices[0].logprobs.top_logprobs"
            ),
            // vLLM asked for no more than the tokens themselves.
            (Replies.prompt("null", #"{"4":{"logprob":-1}}"#), "prompt_logprobs[1]"),
        ]
        for (text, path) in missing {
            #expect(try Replies.response(text, last: 1, needsBest: false).logProbs == [-1])
            #expect(try Replies.response(text, last: 1, needsBest: false).best == nil)
            #expect(Replies.error(text, last: 1) == EngineReplyError(.noBest(position: 0), path: path))
        }
    }

    @Test("Rule 5: members that are not needed may be missing or anything")
    func otherMembers() throws {
        let anything = [
            "null", "7", "true", #""x""#, "[]", "{}", "[[1,{\"a\":[null]}]]", #"{"completion_tokens":"x"}"#,
            #"[{"logprobs":{"content":[]}}]"#, #"[{"prompt_logprobs":7,"logprobs":{"token_logprobs":7}}]"#,
        ]
        for value in anything {
            let prompt =
                #"{"choices":\#(value),"usage":\#(value),"meta_info":\#(value),"prompt_token_ids":\#(value),"other":\#(value),"prompt_logprobs":[{"7":{"rank":\#(value),"logprob":-1,"decoded_token":\#(value),"x":\#(value)}}]}"#
            #expect(try Replies.response(prompt, last: 1, needsBest: false).ids == [7])
            let triples =
                #"{"choices":\#(value),"usage":\#(value),"text":\#(value),"meta_info":{"id":\#(value),"input_token_logprobs":[[-1,7,\#(value),\#(value)]],"prompt_tokens":\#(value),"input_top_logprobs_other":\#(value)}}"#
            #expect(try Replies.response(triples, last: 1, needsBest: false).ids == [7])
            let echo =
                #"{"meta_info":\#(value),"choices":[{"prompt_token_ids":\#(value),"logprobs":{"tokens":\#(value),"text_offset":\#(value),"token_logprobs":[-1]}}],"usage":{"x":\#(value),"prompt_tokens":\#(value),"completion_tokens":0}}"#
            #expect(try Replies.response(echo, last: 1, needsBest: false).logProbs == [-1])
        }
    }

    @Test("Rule 5: a reply is told by its members")
    func forms() throws {
        let forms: [EngineReply.Form] = [
            .promptLogProbs, .promptLogProbs, .echo, .inputTokenLogProbs, .inputTokenLogProbs,
            .inputTokenLogProbs,
        ]
        for ((_, text), form) in zip(Replies.all, forms) { #expect(try Replies.read(text).form == form) }
        for text in ["{}", #"{"choices":[]}"#, #"{"meta_info":{"prompt_tokens":3}}"#, #"{"choices":[{}]}"#] {
            #expect(Replies.error(text) == EngineReplyError(.unknownForm, path: ""))
        }
        #expect(
            Replies.error(#"{"choices":[{"prompt_logprobs":null}],"prompt_logprobs":null}"#)
                == EngineReplyError(.notAskedFor, path: "prompt_logprobs"))
        for text in ["[]", "null", "7", #""x""#] {
            #expect(Replies.error(text)?.reason == .json(.wrongKind(expected: "an object")))
        }
    }

    @Test("Rule 6: log-probs of generated tokens score no response")
    func generatedTokens() {
        let text =
            #"{"choices":[{"logprobs":{"content":[{"token":"a","logprob":-0.1,"top_logprobs":[]}]}}],"prompt_logprobs":null}"#
        #expect(Replies.error(text)?.reason == .onlyGenerated)
    }

    @Test("Rule 7: whether the realised token is among the k follows from all lists together")
    func standings() throws {
        let least = #"{"5":{"logprob":-3},"6":{"logprob":-1}}"#
        let likelier = #"{"6":{"logprob":-1},"5":{"logprob":-3}}"#
        let longer = #"{"4":{"logprob":-4},"6":{"logprob":-1},"5":{"logprob":-3}}"#
        func standings(_ positions: String..., last: Int = 1) throws -> [EngineResponse.Realised]? {
            let text = "{\"prompt_logprobs\":[null,\(positions.joined(separator: ","))]}"
            return try Replies.response(text, last: last).best?.realised
        }
        // k is 2: a list of two whose first is the least holds the two best, one of three does not.
        #expect(try standings(likelier, least) == [.listed])
        #expect(try standings(longer, least) == [.listed])
        #expect(try standings(least, longer, last: 2) == [.listed, .outside])
        // Nothing tells: taken as outside, for which the bounds are right in either case.
        #expect(try standings(least) == [.outside])
        #expect(try standings(longer) == [.outside])
        // Alone and likelier than a half, it is the likeliest.
        #expect(try standings(#"{"5":{"logprob":-0.6}}"#) == [.listed])
        #expect(throws: EngineReplyError.self) { try standings(#"{"5":{"logprob":-0.7}}"#) }
        #expect(try standings(least, #"{"5":{"logprob":-0.7}}"#) == [.listed])
    }

    @Test("A text that two tokens share leaves the realised token unidentified, not mistaken")
    func sharedTexts() throws {
        let text =
            #"{"choices":[{"logprobs":{"token_logprobs":[-4],"tokens":["�"],"top_logprobs":[{"�":-1.2,"b":-1.5}]}}],"usage":{"completion_tokens":0}}"#
        let response = try Replies.response(text, last: 1)
        #expect(response.logProbs == [-4])
        #expect(response.best?.realised == [.unidentified] && response.best?.logProbs == [-1.2, -1.5])
    }

    @Test("What the engines' own classes write is read")
    func ownClasses() throws {
        // vLLM 0.33: the first position of its flat class, a token of rank 3 beside the two best, an impossible one.
        let prompt = Replies.prompt(
            "{}",
            #"{"5":{"logprob":-12.5,"rank":3,"decoded_token":null},"9":{"logprob":-0.1,"rank":1,"decoded_token":"i"},"11":{"logprob":-12.0,"rank":2,"decoded_token":"k"}}"#,
            #"{"9":{"logprob":-0.0,"rank":1,"decoded_token":"i"},"11":{"logprob":-9999.0,"rank":2,"decoded_token":"k"}}"#
        )
        let first = try Replies.response(prompt, last: 2)
        #expect(first.ids == [5, 9] && first.logProbs == [-12.5, 0])
        #expect(first.best?.realised == [.outside, .listed])
        #expect(first.best?.logProbs == [-0.1, -12, 0, -.infinity])
        // SGLang 0.5.23: an entry of probability 0 is null in lists and −inf in base64.
        for columns in [
            #""input_top_logprobs_val_flat":[-1.0390625,-3.53125,-2.09375,null],"input_top_logprobs_idx_flat":[279,9625,13,58883]"#,
            #""input_top_logprobs_val_flat_b64":"AACFvwAAYsAAAAbAAACA/w==","input_top_logprobs_idx_flat_b64":"FwEAAJklAAANAAAAA+YAAA==","input_top_logprobs_val_flat_b64_dtype":"float32","input_top_logprobs_idx_flat_b64_dtype":"int32""#,
        ] {
            let text = Replies.withTop(
                columns + #","input_top_logprobs_shape":[2,2],"input_top_logprobs_null_prefix":1"#)
            let second = try Replies.response(text, last: 2)
            #expect(second.best?.logProbs == [-1.0390625, -3.53125, -2.09375, -.infinity])
            #expect(second.best?.ids == [279, 9625, 13, 58883])
        }
    }
}
