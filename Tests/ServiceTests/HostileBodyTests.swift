import HTTP
import HTTPTypes
import JSON
import Service
import TestMaterial
import Testing

/// Any bytes at all get an answer.
@Suite struct HostileBodyTests {
    @Test(arguments: ["/v1/score", "/v1/mask", "/v1/entropy", "/v1/advantages", "/v1/perturb"])
    func `every truncation of a JSON body is malformed`(path: String) throws {
        let body =
            #"{"options":{"gate":"none"},"rollouts":[{"id":"r\u00e9","original":{"entropy":[1.5]},"removing":{"entropy":[2e0]}}]}"#
        let bytes = Array(body.utf8)
        for length in 0..<bytes.count {
            let response = try TestService().post(path, Array(bytes[..<length]), type: "application/json")
            #expect(response.status == .badRequest, "\(length): \(response.text)")
        }
    }

    @Test(arguments: ["/v1/score", "/v1/mask", "/v1/entropy", "/v1/advantages", "/v1/perturb"])
    func `fragments put together at random never do worse than a refusal`(path: String) throws {
        let fragments = [
            "{", "}", "[", "]", ",", ":", "\"rollouts\"", "\"options\"", "\"original\"", "\"log_probs\"",
            "\"logits\"", "\"entropy\"",
            "\"original.log_probs\"", "\"original.logits\"", "\"removing.entropy\"", "\"cu_seqlens\"",
            "\"token_ids\"", "\"rewards\"",
            "\"group_ids\"", "\"response_mask\"", "\"advantages\"", "\"advantage\"", "\"images\"",
            "\"views\"", "\"data\"", "\"steps\"",
            "1", "-1", "0", "1e308", "-0.0", "true", "null", "\"\"", "1e400", "NaN", " ",
        ]
        let service = TestService()
        var random = SeededGenerator(seed: 21)
        for _ in 0..<600 {
            let text =
                "{"
                + (0..<Int.random(in: 1..<25, using: &random)).map { _ in
                    fragments.randomElement(using: &random) ?? ""
                }.joined()
            let status = try service.post(text: text, to: path).status.code
            #expect([200, 400, 413, 422].contains(status), "\(text)")
        }
    }

    @Test(arguments: ["/v1/score", "/v1/mask", "/v1/entropy", "/v1/advantages"])
    func `well-formed nonsense in every member never does worse than a refusal`(path: String) throws {
        let names = [
            "original.log_probs", "preserving.log_probs", "removing.log_probs", "original.entropy",
            "removing.entropy",
            "original.logits", "preserving.logits", "removing.logits", "logits", "token_ids", "response_mask",
            "advantages",
            "rewards", "group_ids", "cu_seqlens",
        ]
        let values = [
            "[]", "[[]]", "[[],[]]", "[[[]]]", "[[[],[]]]", "[0]", "[1]", "[0,1]", "[0,1,2]", "[[0]]",
            "[[1,1]]", "[[0,0],[0,0]]",
            "[[[0]]]", "[[[0,1]]]", "[[[0,1],[1,0]]]", "[[1e308]]", "[[-1e308]]", "[-1]",
            "[0,9007199254740993]", "[0,1e15]",
        ]
        let options = [
            #"{}"#, #"{"gate":"none"}"#, #"{"gate":"none","detector":"none"}"#,
            #"{"gate":"none","estimator":"full_kl"}"#,
            #"{"gate":"none","estimator":"jsd","detector":"none"}"#,
            #"{"detector":"none","clamp_input":null,"clamp_result":null,"return":[]}"#,
        ]
        let service = TestService()
        var random = SeededGenerator(seed: 22)
        for _ in 0..<1500 {
            let query =
                path == "/v1/score" ? ",\"options\":\(options.randomElement(using: &random) ?? "{}")" : ""
            // Few values, so that shapes often agree.
            let few = values.shuffled(using: &random).prefix(2)
            let members = names.shuffled(using: &random).prefix(Int.random(in: 1...8, using: &random))
                .map { "\"\($0)\":\(few.randomElement(using: &random) ?? "[]")" }.joined(separator: ",")
            let status = try service.post(text: "{\(members)\(query)}", to: path).status.code
            #expect([200, 400, 422].contains(status), "{\(members)\(query)}")
        }
    }

    @Test func `deep nesting is refused at its depth`() throws {
        for opening in [
            "[", "{\"rollouts\":[", "{\"original.logits\":[[[[", "{\"options\":", "{\"options\":{\"tau\":[",
        ] {
            let text = opening + String(repeating: "[", count: 100_000)
            for path in ["/v1/score", "/v1/perturb"] {
                #expect(try TestService().post(text: text, to: path).status == .badRequest)
            }
        }
    }
}
