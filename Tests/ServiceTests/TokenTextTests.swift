import HTTP
import HTTPTypes
import JSON
import Service
import Tensor
import Testing

/// The texts of tokens: echoed and kept, and no reason to refuse anything.
@Suite struct TokenTextTests {
    private func body(_ tokens: [String]) -> String {
        let rollouts = tokens.map { tokens in
            let member = tokens.isEmpty ? "" : #""tokens":\#(tokens),"#
            return
                #"{\#(member)"original":{"log_probs":[-1,-2]},"preserving":{"log_probs":[-1,-1]},"removing":{"log_probs":[-3,-2]}}"#
        }
        return
            #"{"options":{"detector":"none","gate":"none"},"rollouts":[\#(rollouts.joined(separator: ","))]}"#
    }

    private func kept(_ service: TestService) throws -> [JSONValue?] {
        try #require(try service.get("/v1/live/batches/1").json()["rollouts"]?.array).map { $0["tokens"] }
    }

    @Test func `rollouts' texts come back, and are kept`() throws {
        let service = TestService(keepRecent: 1)
        let texts = #"["<b>\u202e","\u0000é\ud83d\ude00"]"#
        let reply = try service.post(text: body([texts, ""]), to: "/v1/score").json()
        let expected = try JSONValue(parsing: texts)
        #expect(reply["rollouts"]?.array?.map { $0["tokens"] } == [expected, nil])
        #expect(reply["diagnostics"]?["ignored_tokens"] == 0)
        #expect(try kept(service) == [expected, nil])
    }

    @Test(arguments: [
        #"["a"]"#, #"["a","b","c"]"#, "[]", #"["a",1]"#, #""ab""#, "null", "7", #"{"a":["b"]}"#,
        #"[["a"],["b"]]"#,
    ]) func `those that don't fit are counted`(texts: String) throws {
        let service = TestService(keepRecent: 1)
        let reply = try service.post(text: body([texts, #"["a","b"]"#]), to: "/v1/score").json()
        #expect(reply["diagnostics"]?["ignored_tokens"] == 1)
        #expect(reply["rollouts"]?.array?.map { $0["tokens"] } == [nil, ["a", "b"]])
        #expect(try kept(service) == [nil, ["a", "b"]])
    }

    @Test func `without any there is nothing to count`() throws {
        let reply = try TestService().post(text: body(["", ""]), to: "/v1/score").json()
        #expect(reply["diagnostics"] != nil && reply["diagnostics"]?["ignored_tokens"] == nil)
        // Only /v1/score takes them.
        let mask = #"{"rollouts":[{"tokens":["a"],"original":{"entropy":[1]},"removing":{"entropy":[2]}}]}"#
        try TestService().post(text: mask, to: "/v1/mask").expectProblem(.unknownField)
    }

    private func file(_ tokens: String, rows: Int, packed: Bool = false) -> [UInt8] {
        var writer = SafetensorsWriter()
        writer.setMetadata("tokens", tokens)
        writer.setMetadata("options", #"{"detector":"none","gate":"none"}"#)
        for view in ["original", "preserving", "removing"] {
            writer.append(
                "\(view).log_probs", shape: packed ? [2 * rows] : [rows, 2],
                floats: [Float](repeating: -1, count: 2 * rows))
        }
        if packed {
            writer.append("cu_seqlens", shape: [rows + 1], integers: (0...rows).map { Int64(2 * $0) })
        }
        return writer.segments().flatMap { $0 }
    }

    static let files: [(String, rows: Int, packed: Bool, [JSONValue?], ignored: Int64)] = [
        (#"[["a","b"],["c","d"]]"#, 2, false, [["a", "b"], ["c", "d"]], 0),
        (#"[["a"],["c","d"]]"#, 2, false, [["a", ""], ["c", "d"]], 0),
        (#"[["a","b"],["c","d"]]"#, 2, true, [["a", "b"], ["c", "d"]], 0),
        (#"["a","b","c","d"]"#, 2, true, [["a", "b"], ["c", "d"]], 0),
        (#"["a","b"]"#, 1, false, [["a", "b"]], 0),
        (#"["a","b","c","d"]"#, 2, false, [nil, nil], 2),
        (#"[["a"],["c","d"]]"#, 2, true, [nil, ["c", "d"]], 1),
        (#"[["a","b","x"],["c","d"]]"#, 2, false, [nil, ["c", "d"]], 1),
        (#"[["a","b"]]"#, 2, false, [nil, nil], 2), (#"[["a",1],["c","d"]]"#, 2, false, [nil, nil], 2),
        ("{", 2, false, [nil, nil], 2), ("[]", 2, false, [nil, nil], 2), (#""ab""#, 1, false, [nil], 1),
        (#"[[["a"]]]"#, 1, false, [nil], 1), ("null", 1, false, [nil], 1), ("", 1, false, [nil], 1),
    ]

    @Test(arguments: files) func `safetensors carry them as metadata`(
        text: String, rows: Int, packed: Bool, expected: [JSONValue?], ignored: Int64
    ) throws {
        let service = TestService(keepRecent: 1)
        let reply = try service.post("/v1/score", file(text, rows: rows, packed: packed))
        #expect(reply.status == .ok)
        let result = try Safetensors(parsing: reply.bytes).metadata["result"]
        let diagnostics = try JSONValue(parsing: try #require(result))["diagnostics"]
        #expect(diagnostics?["ignored_tokens"] == .integer(ignored))
        #expect(try kept(service) == expected)
    }

    @Test func `a kept batch as safetensors has them as lists, null where there are none`() throws {
        let service = TestService(keepRecent: 1)
        _ = try service.post(text: body([#"["a","b\""]"#, "7"]), to: "/v1/score").json()
        let reply = try service.send(
            "GET", "/v1/live/batches/1", headers: [("Accept", "application/x-safetensors")])
        #expect(try Safetensors(parsing: reply.bytes).metadata["tokens"] == #"[["a","b\""],null]"#)
    }
}
