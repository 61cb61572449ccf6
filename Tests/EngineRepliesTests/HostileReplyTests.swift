import EngineReplies
import JSON
import TestMaterial
import Testing

private enum FlatColumns {
    static let values = #""input_top_logprobs_val_flat":[-1,-2,-3,-4],"#
    static let both = values + #""input_top_logprobs_idx_flat":[1,2,3,4],"#
}

@Suite("Hostile replies")
struct HostileReplyTests {
    @Test(
        "What is wrong is told with its place",
        arguments: [
            (
                Replies.prompt("null", #"{"785":{"logprob":"x"}}"#), #"prompt_logprobs[1]["785"].logprob"#,
                EngineReplyError.Reason.json(.wrongKind(expected: "a number"))
            ),
            (
                #"{"choices":[{"prompt_logprobs":[{"7":{"rank":1}}]}]}"#,
                #"choices[0].prompt_logprobs[0]["7"]"#, .missingMember("logprob")
            ),
            (Replies.prompt(#"{"07":{}}"#), #"prompt_logprobs[0]["07"]"#, .invalidTokenID("07")),
            (Replies.prompt(#"{"-7":{}}"#), #"prompt_logprobs[0]["-7"]"#, .invalidTokenID("-7")),
            (Replies.prompt(#"{"":{}}"#), #"prompt_logprobs[0][""]"#, .invalidTokenID("")),
            (
                Replies.prompt(#"{"99999999999999999999":{}}"#),
                #"prompt_logprobs[0]["99999999999999999999"]"#, .invalidTokenID("99999999999999999999")
            ),
            (
                Replies.prompt(#"{"7":{"logprob":-1},"7":{"logprob":-1}}"#), #"prompt_logprobs[0]["7"]"#,
                .json(.duplicateMember("7"))
            ),
            (
                Replies.prompt(#"{"7":{"logprob":-1,"logprob":-2}}"#), #"prompt_logprobs[0]["7"]"#,
                .json(.duplicateMember("logprob"))
            ),
            (
                Replies.prompt(#"{"7":{"logprob":1e999}}"#), #"prompt_logprobs[0]["7"].logprob"#,
                .json(.numberOutOfRange)
            ),
            (#"{"prompt_logprobs":{}}"#, "prompt_logprobs", .json(.wrongKind(expected: "an array"))),
            (
                #"{"meta_info":{"input_token_logprobs":[[-1,7],[-1,7],[-1,7],["x",7]]}}"#,
                "meta_info.input_token_logprobs[3][0]", .json(.wrongKind(expected: "a number"))
            ),
            (
                #"{"meta_info":{"input_token_logprobs":[[-1,7.5]]}}"#, "meta_info.input_token_logprobs[0][1]",
                .invalidTokenID("7.5")
            ),
            (
                #"{"meta_info":{"input_token_logprobs":[[-1]]}}"#, "meta_info.input_token_logprobs[0][0]",
                .invalidCount(expected: "a log-prob and a token id", found: "1 elements")
            ),
            (
                #"{"meta_info":{"input_token_logprobs":[[-1,7]],"input_top_logprobs":[[[-1,null]]]}}"#,
                "meta_info.input_top_logprobs[0][0][1]", .json(.wrongKind(expected: "a number"))
            ),
            (
                #"{"meta_info":{"input_token_logprobs":[[-1,7]],"input_top_logprobs":[]}}"#,
                "meta_info.input_top_logprobs", .lengthsDiffer(expected: 1, found: 0)
            ),
            (
                #"{"choices":[{"logprobs":{"token_logprobs":[-1,"x"]}}]}"#,
                "choices[0].logprobs.token_logprobs[1]", .json(.wrongKind(expected: "a number"))
            ),
            (
                #"{"choices":[{"logprobs":{"token_logprobs":[-1],"top_logprobs":[{"a":"b"}]}}]}"#,
                #"choices[0].logprobs.top_logprobs[0]["a"]"#, .json(.wrongKind(expected: "a number"))
            ),
            ("{\"prompt_logprobs\":[null,{\"7\"", "prompt_logprobs[1]", .json(.unexpectedEnd)),
            (
                "{\"meta_info\":{\"input_token_logprobs\":[[-1", "meta_info.input_token_logprobs[0][0]",
                .json(.unexpectedEnd)
            ),
        ])
    func places(_ text: String, _ path: String, _ reason: EngineReplyError.Reason) {
        let error = Replies.error(text)
        #expect(error?.path == path && error?.reason == reason, "\(String(describing: error))")
    }

    @Test("Values that are no log-probs are refused in the response, and nowhere else")
    func values() throws {
        let text = Replies.prompt(#"{"5":{"logprob":14.5}}"#, #"{"5":{"logprob":-1},"6":{"logprob":0.5}}"#)
        #expect(try Replies.response(text, last: 1, needsBest: false).logProbs == [-1])
        #expect(
            Replies.error(text, last: 1)
                == EngineReplyError(.notALogProb(0.5, position: 0), path: "prompt_logprobs[1][1]"))
        #expect(
            Replies.error(text, last: 2, needsBest: false)
                == EngineReplyError(.notALogProb(14.5, position: 0), path: "prompt_logprobs[0]"))
        // Quiet NaN in base64, of which JSON's lists have none.
        let nan =
            #"{"meta_info":{"input_token_logprobs":[[-1,5]],"input_top_logprobs_val_flat_b64":"AADAfw==","input_top_logprobs_idx_flat_b64":"BQAAAA==","input_top_logprobs_shape":[1,1],"input_top_logprobs_null_prefix":0}}"#
        guard case .notALogProb(let value, position: 0) = Replies.error(nan, last: 1)?.reason else {
            Issue.record("NaN passed")
            return
        }
        #expect(value.isNaN)
    }

    @Test("What rounding put above 0 is kept in the response, and is the probability 1 in a list")
    func rounding() throws {
        let text = Replies.prompt(#"{"5":{"logprob":0.001},"6":{"logprob":0.0005}}"#)
        let response = try Replies.response(text, last: 1)
        #expect(response.logProbs == [0.001])
        #expect(response.best?.logProbs == [0, 0])
        #expect(
            Replies.error(Replies.prompt(#"{"5":{"logprob":0.0011}}"#), last: 1)
                == EngineReplyError(.notALogProb(0.0011, position: 0), path: "prompt_logprobs[0]"))
    }

    @Test("A token that appears twice in one list is refused")
    func repeatedTokens() {
        let text =
            #"{"meta_info":{"input_token_logprobs":[[-1,5]],"input_top_logprobs":[[[-1,5],[-1,6],[-1,5]]]}}"#
        #expect(
            Replies.error(text, last: 1)
                == EngineReplyError(.duplicateTokenID(5), path: "meta_info.input_top_logprobs[0]"))
    }

    static let prefix = "meta_info.input_top_logprobs_"

    @Test(
        "Shapes that don't fit the columns or the prompt are refused, whatever they claim",
        arguments: [
            ("[2,2]", "0", "null_prefix"), ("[2,2]", "2", "null_prefix"),
            ("[2,2]", "9223372036854775807", "null_prefix"), ("[2,2]", "-1", "null_prefix"),
            ("[2,2]", "1.5", "null_prefix"), ("[2,2]", "\"1\"", "null_prefix"),
            ("[2,2]", "1e300", "null_prefix"), ("[4,0]", "1", "shape"), ("[2,-2]", "1", "shape[1]"),
            ("[-1,-4]", "1", "shape[0]"), ("[4]", "1", "shape"), ("[1,2,2]", "1", "shape"),
            ("[]", "1", "shape"),
            ("7", "1", "shape"), ("[2,3]", "1", "val_flat"), ("[0,0]", "1", "val_flat"),
            ("[4294967296,4294967296]", "1", "val_flat"),
            ("[9223372036854775807,9223372036854775807]", "1", "val_flat"),
            ("[9223372036854775807,1]", "9223372036854775807", "val_flat"),
        ])
    func shapes(_ shape: String, _ nullPrefix: String, _ member: String) {
        let text = Replies.withTop(
            FlatColumns.both
                + #""input_top_logprobs_shape":\#(shape),"input_top_logprobs_null_prefix":\#(nullPrefix)"#)
        #expect(Replies.error(text)?.path == HostileReplyTests.prefix + member)
    }

    @Test(
        "Columns that miss something, or are not what they say, are refused",
        arguments: [
            (
                FlatColumns.values + #""input_top_logprobs_shape":[2,2],"input_top_logprobs_null_prefix":1"#,
                "idx_flat"
            ),
            (FlatColumns.both + #""input_top_logprobs_null_prefix":1"#, "shape"),
            (FlatColumns.both + #""input_top_logprobs_shape":[2,2]"#, "null_prefix"),
            (#""input_top_logprobs_idx_flat":[1]"#, "val_flat"),
        ])
    func missingColumns(_ members: String, _ missing: String) {
        #expect(
            Replies.error(Replies.withTop(members))
                == EngineReplyError(.missingMember("input_top_logprobs_\(missing)"), path: "meta_info"))
    }

    @Test("What is not base64 of whole elements is refused")
    func base64() {
        func error(_ value: String, _ type: String = "float32") -> EngineReplyError? {
            Replies.error(
                Replies.withTop(
                    #""input_top_logprobs_val_flat_b64":"\#(value)","input_top_logprobs_val_flat_b64_dtype":"\#(type)","input_top_logprobs_idx_flat":[1],"input_top_logprobs_shape":[1,1],"input_top_logprobs_null_prefix":2"#
                ))
        }
        let path = HostileReplyTests.prefix + "val_flat_b64"
        #expect(error("AACAvw==") == nil)
        #expect(error("AACA*w==")?.reason == .invalidBase64(offset: 4))
        #expect(error("AACAv")?.reason == .invalidBase64(offset: 5))
        #expect(error("AACAvx==")?.reason == .invalidBase64(offset: 5))
        #expect(
            error("AACA")
                == EngineReplyError(
                    .invalidCount(expected: "4 bytes for each element", found: "3 bytes"), path: path,
                    byte: error("AACA")?.byte))
        #expect(error("") == EngineReplyError(.lengthsDiffer(expected: 1, found: 0), path: path))
        #expect(
            error("AACAvw==", "float16")?.reason == .unsupportedElementType("float16", expected: "float32"))
        // A slash that is escaped is a slash.
        #expect(error(#"AACA\/w=="#) == nil)
    }

    @Test("Texts nest no deeper than the reader allows")
    func depth() {
        let deep = String(repeating: "[", count: 100_000)
        for text in [
            #"{"x":\#(deep)"#, #"{"choices":\#(deep)"#, #"{"prompt_logprobs":\#(deep)"#,
            #"{"meta_info":{"x":\#(deep)"#,
        ] {
            let reason = Replies.error(text)?.reason
            #expect(
                reason == .json(.tooDeep(limit: 64)) || reason == .json(.wrongKind(expected: "an object")),
                "\(String(describing: reason))")
        }
    }

    @Test("Every truncation is an error", arguments: Replies.all)
    func truncations(_ name: String, _ text: String) {
        let bytes = Array(text.utf8)
        for length in 0..<bytes.count {
            var reader = JSONReader(Array(bytes[..<length]))
            #expect(throws: EngineReplyError.self, "\(name), \(length)") { try EngineReply(reading: &reader) }
        }
    }

    @Test("Mutations give a value or an error", arguments: Replies.all)
    func mutations(_ name: String, _ text: String) {
        var random = SeededGenerator(seed: UInt64(text.utf8.count))
        let original = Array(text.utf8)
        let alphabet = Array(#"{}[]",:0123456789eE+-.ntfalsx="#.utf8) + [0x00, 0xFF, 0xC3]
        var read = 0
        for _ in 0..<2000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = alphabet.randomElement(using: &random) ?? 0
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(alphabet.randomElement(using: &random) ?? 0, at: place)
                default:
                    // A piece of the text where another was.
                    let length = min(bytes.count - place, Int.random(in: 1...24, using: &random))
                    let from = Int.random(in: 0...(bytes.count - length), using: &random)
                    bytes.replaceSubrange(place..<place + length, with: bytes[from..<from + length])
                }
            }
            read += expectValueOrError(bytes)
        }
        // Both must happen for this to test anything.
        #expect(read > 0 && read < 2000, "\(name): \(read)")
    }

    /// 1 when the text was a reply; whatever is cut from it then is whole and sound.
    private func expectValueOrError(_ bytes: [UInt8]) -> Int {
        var reader = JSONReader(bytes)
        guard let reply = try? EngineReply(reading: &reader) else { return 0 }
        for count in 0...min(reply.count, 4) {
            for needsBest in [false, true] {
                do throws(EngineReplyError) {
                    let response = try reply.response(last: count, needsBest: needsBest)
                    #expect(response.logProbs.count == count && response.ids.count == count)
                    #expect(response.logProbs.allSatisfy { $0 <= 0 && $0 > -9999 })
                    guard let best = response.best else { continue }
                    #expect(best.offsets.count == count + 1 && best.realised.count == count)
                    #expect(best.offsets.last == best.logProbs.count)
                    #expect(best.ids.isEmpty || best.ids.count == best.logProbs.count)
                } catch {
                    #expect(!error.path.isEmpty && !error.description.isEmpty)
                }
            }
        }
        return 1
    }
}
