import HTTP
import HTTPTypes
import JSON
import Service
import Tensor
import Testing

/// Batches in which there is little or nothing.
@Suite struct EdgeBatchTests {
    static let emptyBodies: [(String, String)] = [
        ("/v1/score", #"{"rollouts":[]}"#), ("/v1/mask", #"{"rollouts":[]}"#),
        ("/v1/entropy", #"{"rollouts":[]}"#),
        ("/v1/advantages", #"{"rollouts":[]}"#), ("/v1/advantages", #"{"rewards":[],"group_ids":[]}"#),
        ("/v1/score?preset=cppo-paper", #"{"rollouts":[]}"#),
        ("/v1/score?detector=none&gate=none", #"{"rollouts":[]}"#),
        ("/v1/score?estimator=jsd&gate=none", #"{"rollouts":[]}"#),
        ("/v1/mask?detector=none", #"{"rollouts":[]}"#),
        ("/v1/mask?detector=given&gate=none", #"{"rollouts":[]}"#),
        ("/v1/score?detector=given", #"{"rollouts":[]}"#),
        (
            "/v1/score?detector=given&preset=papo-g",
            #"{"original.log_probs":[[],[]],"removing.log_probs":[[],[]]}"#
        ),
        ("/v1/entropy", #"{"logits":[]}"#),
        ("/v1/entropy", #"{"logits":[],"token_ids":[],"cu_seqlens":[0]}"#),
        ("/v1/entropy", #"{"logits":[[],[]],"token_ids":[[],[]]}"#),
        ("/v1/mask", #"{"original.entropy":[],"removing.entropy":[],"advantages":[]}"#),
        ("/v1/mask", #"{"original.entropy":[],"removing.entropy":[],"advantages":[],"cu_seqlens":[0]}"#),
        ("/v1/mask", #"{"original.entropy":[[],[]],"removing.entropy":[[],[]],"advantages":[1,2]}"#),
        ("/v1/mask", #"{"original.entropy":[],"removing.entropy":[],"rewards":[],"group_ids":[]}"#),
        (
            "/v1/score",
            #"{"original.log_probs":[],"preserving.log_probs":[],"removing.log_probs":[],"original.entropy":[],"removing.entropy":[],"advantages":[]}"#
        ),
        (
            "/v1/score?preset=cppo-paper&gate=none",
            #"{"original.logits":[],"preserving.logits":[],"removing.logits":[]}"#
        ),
    ]

    @Test(arguments: emptyBodies) func `a batch of nothing is valid and gives nothing`(
        path: String, body: String
    ) throws {
        let reply = try TestService().post(text: body, to: path).json()
        if path.hasPrefix("/v1/score") {
            #expect(reply["loss"] == 0 && reply["weighted_loss"] == 0 && reply["loss_numerator"] == 0)
            #expect(reply["diagnostics"]?["tokens"] == 0 && reply["diagnostics"]?["mean_contrast"] == .null)
        }
        for member in reply.members ?? [] where member.value.array != nil {
            #expect(member.value.array?.allSatisfy { $0 == [] || $0["mask"] == [] } == true, "\(member.name)")
        }
    }

    @Test(arguments: [[0, 5], [3, 0], [0, 0]]) func `empty tensors keep their extents in safetensors`(
        shape: [Int]
    ) throws {
        var writer = SafetensorsWriter()
        for name in [
            "original.log_probs", "preserving.log_probs", "removing.log_probs", "original.entropy",
            "removing.entropy",
        ] {
            writer.append(name, shape: shape, floats: [])
        }
        writer.append("advantages", shape: [shape[0]], floats: [Float](repeating: 1, count: shape[0]))
        let reply = try TestService().post("/v1/score", writer.segments().flatMap { $0 })
        try #require(reply.status == .ok, "\(reply.text)")
        let file = try Safetensors(parsing: reply.bytes)
        let tensors = file.tensors.values.filter { !$0.shape.isEmpty }
        #expect(tensors.count == 9 && tensors.allSatisfy { $0.shape == shape })
    }

    @Test func `packed sequences are as many as rollouts may be`() throws {
        var writer = SafetensorsWriter()
        let count = 1 << 18
        writer.append(
            "cu_seqlens", .int32, shape: [count + 2], bytes: [UInt8](repeating: 0, count: 4 * count + 8))
        for name in ["original.log_probs", "removing.log_probs"] {
            writer.append(name, shape: [0], floats: [])
        }
        try TestService().post("/v1/score?preset=papo-g", writer.segments().flatMap { $0 })
            .expectProblem(.invalidShape, field: "cu_seqlens")
    }

    @Test func `rollouts without tokens stand beside others`() throws {
        let reply = try TestService().post(
            "/v1/score", TokenBatch(lengths: [0, 2, 0], seed: 41).rollouts(["gate": "none"]),
            type: "application/json"
        ).json()
        let rollouts = try #require(reply["rollouts"]?.array)
        #expect(rollouts.map { $0["mask"]?.array?.count } == [0, 2, 0])
        #expect(rollouts.map { $0["id"]?.string } == ["r0", "r1", "r2"])
        #expect(rollouts[0]["diagnostics"]?["tokens"] == 0)
    }

    @Test func `rows that are all masked carry nothing and touch nobody else`() throws {
        let service = TestService()
        var masked = TokenBatch(lengths: [4, 4, 4], seed: 42)
        masked.advantages = [1, 1, 1]
        masked.responseMask = [[1, 1, 1, 1], [0, 0, 0, 0], [1, 1, 1, 1]]
        let options: JSONValue = ["estimator": "k2", "top_k_ratio": 1]
        let reply = try FlatReply(
            service.post("/v1/score", masked.safetensors(options, packed: false)), lengths: masked.lengths)
        for (name, rows) in reply.tensors { #expect(rows[1] == [0, 0, 0, 0], "\(name)") }
        #expect(reply.diagnostics[1]["mean_contrast"] == .null && reply.diagnostics[1]["tokens"] == 0)
        // The same two rows alone give the same tokens.
        var alone = masked
        alone.columns = masked.columns.map { ($0.name, [$0.rows[0], $0.rows[2]]) }
        alone.responseMask = [[1, 1, 1, 1], [1, 1, 1, 1]]
        alone.advantages = [1, 1]
        alone.lengths = [4, 4]
        let other = try FlatReply(
            service.post("/v1/score", alone.safetensors(options, packed: false)), lengths: alone.lengths)
        for (name, rows) in other.tensors {
            #expect(reply.tensors[name].map { [$0[0], $0[2]] } == rows, "\(name)")
        }
        #expect(other.scalars["loss"] == reply.scalars["loss"])
    }

    @Test(arguments: [(UInt8(0), 200), (1, 422)])
    func `the advantage of a sequence is read where it has response tokens`(
        mask: UInt8, status: Int
    ) throws {
        var writer = SafetensorsWriter()
        writer.append("original.entropy", shape: [2, 1], floats: [1, 1])
        writer.append("removing.entropy", shape: [2, 1], floats: [2, 2])
        writer.append("response_mask", shape: [2, 1], masks: [1, mask])
        writer.append("advantages", shape: [2], floats: [1, .nan])
        let response = try TestService().post("/v1/mask", writer.segments().flatMap { $0 })
        #expect(response.status.code == status, "\(response.text)")
    }

    @Test(arguments: ["token-mean", "seq-mean-token-sum", "seq-mean-token-mean", "seq-mean-token-sum-norm"])
    func `without candidates the loss is zero, whatever the aggregation`(aggregation: String) throws {
        var batch = TokenBatch(lengths: [3, 5], seed: 43)
        batch.columns = batch.columns.map {
            ($0.name, $0.name.hasSuffix("entropy") ? [[1, 1, 1], [2, 2, 2, 2, 2]] : $0.rows)
        }
        batch.advantages = [1, 1]
        let reply = try FlatReply(
            TestService().post("/v1/score?aggregation=\(aggregation)", batch.safetensors([:], packed: true)),
            lengths: batch.lengths, packed: true)
        #expect(reply.scalars["loss"] == 0 && reply.scalars["diagnostics"]?["candidates"] == 0)
        for name in ["mask", "perception_mask", "grad.original.log_probs", "grad.removing.log_probs"] {
            #expect(reply.tensors[name] == [[0, 0, 0], [0, 0, 0, 0, 0]], "\(name)")
        }
    }

    @Test func `a closed gate keeps the selection and drops the loss`() throws {
        var batch = TokenBatch(lengths: [6], seed: 44)
        batch.advantages = [0]
        let closed = try FlatReply(
            TestService().post("/v1/score", batch.safetensors([:], packed: true)), lengths: [6], packed: true)
        let open = try FlatReply(
            TestService().post("/v1/score?gate=none", batch.safetensors([:], packed: true)), lengths: [6],
            packed: true)
        #expect(closed.scalars["loss"] == 0 && closed.tensors["gate"] == [[0, 0, 0, 0, 0, 0]])
        #expect(closed.tensors["perception_mask"] == open.tensors["perception_mask"])
        #expect(open.tensors["mask"] == open.tensors["perception_mask"])
    }

    @Test(arguments: ["full_kl", "jsd"])
    func `a vocabulary of one has no entropy, no divergence and no gradient`(estimator: String) throws {
        let body = #"{"original.logits":[[[3]]],"preserving.logits":[[[1]]],"removing.logits":[[[-7]]]}"#
        let reply = try TestService().post(
            text: body, to: "/v1/score?gate=none&detector=none&loss=margin&estimator=\(estimator)"
        ).json()
        #expect(reply["loss"] == 0 && reply["grad.rows"] == [0] && reply["grad.original.logits"] == [[0]])
        let entropy = try TestService().post(text: #"{"logits":[[3]],"token_ids":[0]}"#, to: "/v1/entropy")
            .json()
        #expect(entropy["entropy"] == [0] && entropy["log_sum_exp"] == [3.0] && entropy["log_probs"] == [0])
    }

    @Test func `logits of −inf are probabilities of zero`() throws {
        var writer = SafetensorsWriter()
        let inf = -Float.infinity
        writer.append("original.logits", shape: [1, 2, 3], floats: [0, 0, inf, 1, 2, inf])
        writer.append("preserving.logits", shape: [1, 2, 3], floats: [0, 0, inf, 2, 1, inf])
        writer.append("removing.logits", shape: [1, 2, 3], floats: [0, 0, 0, 1, 2, 3])
        let body = writer.segments().flatMap { $0 }
        for estimator in ["full_kl", "jsd"] {
            let reply = try TestService().post(
                "/v1/score?gate=none&detector=none&estimator=\(estimator)", body)
            try #require(reply.status == .ok, "\(reply.text)")
            let file = try Safetensors(parsing: reply.bytes)
            let gradient = try #require(file.tensors["grad.original.logits"]?.doubles())
            #expect(gradient[2] == 0 && gradient[5] == 0)
        }
        // The other way round the divergence is infinite, and bounded only by a clamp.
        var other = SafetensorsWriter()
        other.append("original.logits", shape: [1, 1, 2], floats: [0, 0])
        other.append("preserving.logits", shape: [1, 1, 2], floats: [0, 0])
        other.append("removing.logits", shape: [1, 1, 2], floats: [0, inf])
        let infinite = other.segments().flatMap { $0 }
        try TestService().post("/v1/score?gate=none&detector=none&estimator=full_kl", infinite)
            .expectProblem(.nonFiniteValue, field: "removing.logits", index: [0, 0])
        let clamped = try TestService().post(
            "/v1/score?gate=none&detector=none&estimator=full_kl&clamp_result=5", infinite)
        try #require(clamped.status == .ok, "\(clamped.text)")
        let gradients = try Safetensors(parsing: clamped.bytes).tensors
        #expect(gradients["grad.removing.logits"]?.doubles() == [0, 0])
    }

    @Test func `names that only look alike are different groups`() throws {
        // é as one scalar and as two, and a letter that only case tells apart; the first two are one group.
        let body = #"{"rewards":[1,0,5,7],"group_ids":["\u00e9","é","e\u0301","É"]}"#
        let reply = try TestService().post(text: body, to: "/v1/advantages?advantage_estimator=dr_grpo")
            .json()
        #expect(reply["advantages"] == [0.5, -0.5, 0, 0])
    }

    @Test func `one token is the whole batch`() throws {
        let reply = try TestService().post(
            text: """
                {"rollouts":[{"advantage":1,"original":{"log_probs":[-1],"entropy":[0]},"preserving":{"log_probs":[-1]},
                "removing":{"log_probs":[-3],"entropy":[1]}}]}
                """, to: "/v1/score"
        ).json()
        #expect(reply["rollouts"]?.array?.first?["mask"] == [1])
        #expect(reply["rollouts"]?.array?.first?["id"] == nil)
    }

    /// A reply says something about each in its header, which readers of safetensors take up to 100 MB of.
    @Test func `more sequences than a reply can tell of are refused before anything is computed`() throws {
        func batch(_ sequences: Int) -> [UInt8] {
            var writer = SafetensorsWriter()
            for view in ["original", "removing"] {
                writer.append("\(view).entropy", shape: [1], floats: [0.5])
            }
            let offsets = [0] + [Int64](repeating: 1, count: sequences)
            writer.append("cu_seqlens", shape: [sequences + 1], integers: offsets)
            return writer.segments().flatMap { $0 }
        }
        let service = TestService()
        let refused = try service.post("/v1/mask?gate=none", batch((1 << 18) + 1))
        #expect(refused.status == .unprocessableContent)
        let problem = try refused.json(.unprocessableContent)
        #expect(
            problem["type"] == "invalid-shape"
                && problem["errors"]?.array?.first?["expected"] == "B ≤ 262144", "\(refused.text)")
        let most = try service.post("/v1/mask?gate=none", batch(1 << 18))
        try #require(most.status == .ok)
        let header = most.bytes[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        #expect(header < Safetensors.maximumHeaderBytes)
        #expect(try Safetensors(parsing: most.bytes).metadata["result"] != nil)
    }
}
