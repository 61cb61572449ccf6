import HTTP
import HTTPTypes
import JSON
import Service
import Testing

/// What a request must hold follows from its loss.
@Suite struct NeedTests {
    @Test func `PAPO takes two views and no entropies`() throws {
        let text = """
            {"options":{"preset":"papo-g"},"original.log_probs":[[-0.3,-1.2,-0.05,-2]],
            "removing.log_probs":[[-1.8,-1.1,-0.9,-14]]}
            """
        let reply = try TestService().post(text: text, to: "/v1/score").json()
        #expect(abs(try #require(reply["loss"]?.double) - -2.751429) < 1e-6)
        let gradients = reply.members?.map(\.name).filter { $0.hasPrefix("grad.") }
        #expect(gradients == ["grad.original.log_probs", "grad.removing.log_probs"])
        #expect(reply["grad.removing.log_probs"] == [[0, 0, 0, 0]], "it is stopped")
    }

    static let missing: [(options: String, fields: Set<String>)] = [
        (#"{"preset":"papo-g"}"#, ["removing.log_probs"]),
        (#"{"preset":"bips-consistency"}"#, ["preserving.log_probs", "rewards"]),
        (#"{"preset":"vppo"}"#, ["removing.log_probs"]),
        (#"{"terms":[],"detector":"none","gate":"none","policy":"ppo"}"#, ["old.log_probs", "advantages"]),
        (#"{"terms":[],"detector":"none","gate":"none","kl_coefficient":1}"#, ["reference.log_probs"]),
        (#"{"terms":[],"detector":"given","gate":"none"}"#, ["perception_mask"]),
        (#"{"preset":"papo-g","estimator":"jeffreys"}"#, ["original.logits", "removing.logits"]),
        (
            #"{"terms":[{"anchor":"preserving","reference":"removing"}],"detector":"none","gate":"none"}"#,
            ["preserving.log_probs", "removing.log_probs"]
        ),
    ]

    @Test(arguments: missing) func `what the loss needs is named, and nothing else`(
        options: String, fields: Set<String>
    ) throws {
        let reply = try TestService().post(
            text: "{\"options\":\(options),\"original.log_probs\":[[-1]]}", to: "/v1/score"
        ).json(.badRequest)
        let named = reply["errors"]?.array?.compactMap { $0["field"]?.string } ?? []
        #expect(
            Set(named).isSuperset(of: fields) && named.allSatisfy { fields.contains($0) || $0 == "token_ids" }
        )
    }

    @Test func `logits read alone and logits read together meet in one request`() throws {
        let service = TestService()
        let batch = TokenBatch(lengths: [5, 3], seed: 77, vocabulary: 11)
        let options: JSONValue = [
            "terms": [["anchor": "preserving", "reference": "original", "weight": -0.5]], "estimator": "jsd",
            "gate": "none",
        ]
        // The detector's entropy of removing is folded as it arrives, while the other views wait for one another.
        let whole = try FlatReply(
            service.post("/v1/score", batch.safetensors(options, packed: true)), lengths: batch.lengths,
            packed: true)
        let json = try FlatReply(
            service.post("/v1/score", batch.columnar(options, packed: true), type: "application/json"),
            lengths: batch.lengths, packed: true)
        #expect(Set(whole.tensors.keys) == Set(json.tensors.keys))
        #expect(whole.tensors["grad.rows"] == json.tensors["grad.rows"])
        #expect(whole.tensors["mask"] == json.tensors["mask"] && whole.tensors["grad.removing.logits"] == nil)
    }
}
