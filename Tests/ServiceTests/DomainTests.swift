import HTTP
import HTTPTypes
import JSON
import Service
import Tensor
import Testing

/// Numbers outside their quantity's domain, and those that rounding put there.
@Suite struct DomainTests {
    static let tolerances: [(ElementType, Double)] = [
        (.float64, 0.0009), (.float32, 0.0009), (.float16, 0.0625), (.bfloat16, 0.25),
    ]

    private func post(_ changed: (String, ElementType, Double)) throws -> (reply: String, json: JSONValue?) {
        var writer = SafetensorsWriter()
        writer.setMetadata("options", #"{"gate":"none"}"#)
        for name in [
            "original.log_probs", "preserving.log_probs", "removing.log_probs", "original.entropy",
            "removing.entropy",
        ] {
            let value = name.hasSuffix("entropy") ? 0.5 : -0.5
            let (type, last) = changed.0 == name ? (changed.1, changed.2) : (.float32, value)
            writer.append(name, type, shape: [1, 2], bytes: littleEndian([value, last], type))
        }
        let response = try TestService().post("/v1/score", writer.segments().flatMap { $0 })
        guard response.status == .ok else { return (response.text, nil) }
        let file = try Safetensors(parsing: response.bytes)
        return ("", try JSONValue(parsing: try #require(file.metadata["result"])))
    }

    @Test(arguments: tolerances) func `rounding is counted, and an entropy below 0 counts as 0`(
        type: ElementType, residue: Double
    ) throws {
        let entropy = try #require(try post(("original.entropy", type, -residue)).json)
        #expect(entropy["diagnostics"]?["negative_entropies"] == 1)
        let exact = try #require(try post(("original.entropy", type, 0)).json)
        #expect(entropy["diagnostics"]?["mean_delta_entropy"] == exact["diagnostics"]?["mean_delta_entropy"])
        let logProb = try #require(try post(("original.log_probs", type, residue)).json)
        #expect(logProb["diagnostics"]?["positive_log_probs"] == 1)
    }

    @Test(arguments: tolerances) func `what is further out is refused with its place`(
        type: ElementType, residue: Double
    ) throws {
        for (name, sign) in [("original.entropy", -1.0), ("removing.log_probs", 1)] {
            let reply = try JSONValue(parsing: try post((name, type, sign * 2 * residue)).reply)
            #expect(reply["type"] == "invalid-value")
            #expect(reply["errors"]?.array?.first?["field"]?.string == name)
            #expect(reply["errors"]?.array?.first?["index"] == [0, 1])
        }
    }

    @Test func `a rounding residue opens no gate, in any order`() throws {
        let service = TestService()
        let entropies = #""original.entropy":[[0],[0],[0]],"removing.entropy":[[1],[1],[1]]"#
        for rewards in ["[0.2,0.1,0]", "[0,0.1,0.2]", "[0.1,0.2,0]", "[0.1,0,0.2]"] {
            let reply = try service.post(
                text: #"{"rewards":\#(rewards),"group_ids":[1,1,1],\#(entropies)}"#, to: "/v1/mask"
            ).json()
            #expect(reply["diagnostics"]?["gated"] == 1, "\(rewards)")
        }
        let equal = try service.post(
            text: #"{"rewards":[0.30000000000000004,0.3,0.3],"group_ids":[1,1,1],\#(entropies)}"#,
            to: "/v1/mask"
        ).json()
        #expect(equal["diagnostics"]?["gated"] == 0 && equal["diagnostics"]?["groups_without_spread"] == 1)
    }

    @Test func `large logits keep their digits`() throws {
        let service = TestService()
        func logProbs(_ logits: [Double], _ type: ElementType, _ query: String = "") throws -> [Double] {
            var writer = SafetensorsWriter()
            writer.append("logits", type, shape: [1, logits.count], bytes: littleEndian(logits, type))
            writer.append("token_ids", shape: [1], integers: [0])
            let reply = try service.post("/v1/entropy\(query)", writer.segments().flatMap { $0 })
            try #require(reply.status == .ok, "\(reply.text)")
            return try Safetensors(parsing: reply.bytes).tensors["log_probs"]?.doubles() ?? []
        }
        #expect(abs(try logProbs([1e16, 1e16], .float32)[0] - -0.693147181) < 1e-7)
        #expect(abs(try logProbs([-3.4e38, -3.4e38, -3.4e38, -3.4e38], .float32)[0] - -1.386294361) < 1e-7)
        #expect(try logProbs([1e308, -1e308], .float64, "?temperature=0.0001&return=log_probs")[0] == 0)
    }

    @Test(arguments: [
        (
            "/v1/mask",
            #"{"options":{"preset":"cppo-paper","estimator":"k3","detector":"none","gate":"none","advantage_shaping":"dependency"},"original.log_probs":[[-800]],"removing.log_probs":[[-1]]}"#,
            "diagnostics.dependency.max"
        ),
        (
            "/v1/score",
            #"{"options":{"preset":"cppo-paper","terms":[],"estimator":"k3","detector":"none","gate":"none","advantage_shaping":"dependency","policy":"ppo"},"advantages":[1],"original.log_probs":[[-800]],"old.log_probs":[[-800]],"removing.log_probs":[[-1]]}"#,
            "diagnostics.dependency.max"
        ),
        (
            "/v1/score",
            #"{"options":{"terms":[],"detector":"none","gate":"none","policy":"ppo","return":["mask"]},"advantages":[1],"original.log_probs":[[-1.7e308,-1.7e308]],"old.log_probs":[[0,0]]}"#,
            "diagnostics.mean_old_distance"
        ),
    ])
    func `a diagnostic that no number holds is refused`(path: String, body: String, field: String) throws {
        _ = try TestService().post(text: body, to: path).expectProblem(.nonFiniteValue, field: field)
    }
}
