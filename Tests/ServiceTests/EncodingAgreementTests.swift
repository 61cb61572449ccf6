import HTTP
import HTTPTypes
import JSON
import Tensor
import Testing

/// One batch, however it is sent, has one answer, bit for bit.
@Suite struct EncodingAgreementTests {
    static let options: [JSONValue] = [
        [:], ["preset": "cppo-areal"], ["detector": "none", "gate": "none", "estimator": "abs"],
        ["aggregation": "seq-mean-token-mean", "scope": "segment", "quota": "ceil"],
        [
            "aggregation": "seq-mean-token-sum-norm", "norm_length": 17, "global_batch_size": 12,
            "loss": "margin",
        ],
        ["stop_gradient": ["original"], "grad_scale": 128, "gate_threshold": -0.5, "score": "absolute"],
        ["result_type": "BF16", "tau": 0.3],
    ]
    static let lengths = [[5, 1, 0, 9, 3], [1], [7, 7], [0, 4], [0]]

    @Test(arguments: options, lengths)
    func `log-probabilities in every form give the same numbers`(options: JSONValue, lengths: [Int]) throws {
        try expectAgreement(TokenBatch(lengths: lengths, seed: 11), options)
    }

    @Test(
        arguments: [
            ["preset": "cppo-verl"], ["preset": "cppo-paper"], ["estimator": "jsd", "temperature": 0.5],
            ["preset": "cppo-paper", "result_type": "BF16"],
        ] as [JSONValue], lengths)
    func `logits in every form give the same numbers`(options: JSONValue, lengths: [Int]) throws {
        // The type decides the arithmetic: numbers that were text are Doubles, and so is F64.
        try expectAgreement(TokenBatch(lengths: lengths, seed: 12, vocabulary: 5), options, types: [.float64])
    }

    @Test(arguments: [ElementType.float32, .float16, .bfloat16])
    func `logits of every narrower type agree with Doubles`(type: ElementType) throws {
        let service = TestService()
        let batch = TokenBatch(lengths: [6, 2, 9], seed: 13, vocabulary: 40)
        for packed in [false, true] {
            let wide = try FlatReply(
                service.post("/v1/score", batch.safetensors([:], packed: packed, type: .float64)),
                lengths: batch.lengths,
                packed: packed)
            let narrow = try FlatReply(
                service.post("/v1/score", batch.safetensors([:], packed: packed, type: type)),
                lengths: batch.lengths,
                packed: packed)
            #expect(wide.tensors.keys == narrow.tensors.keys)
            for (name, rows) in wide.tensors {
                for (a, b) in zip(rows.joined(), (narrow.tensors[name] ?? []).joined()) {
                    #expect(abs(a - b) <= 1e-5 * max(1, abs(a)), "\(name)")
                }
            }
        }
    }

    @Test func `the gate reads advantages for each token, for each row, and rewards with groups`() throws {
        let service = TestService()
        var batch = TokenBatch(lengths: [3, 3, 2, 4], seed: 14)
        batch.advantages = [0.5, -0.5, -0.5, 0.5]
        let expected = try FlatReply(
            service.post("/v1/score", batch.safetensors([:], packed: true)), lengths: batch.lengths,
            packed: true)
        // Two prompts; within each the better response is the one with the positive advantage.
        let text = try JSONValue(parsing: batch.columnar([:], packed: true))
        func with(_ members: [JSONValue.Member]) -> JSONValue {
            .object((text.members ?? []).filter { $0.name != "advantages" } + members)
        }
        let perToken = zip(batch.lengths, batch.advantages ?? []).flatMap { Array(repeating: $1, count: $0) }
        for body in [
            with([.init("advantages", list(perToken))]),
            with([.init("rewards", list([1.0, 0, 0, 1])), .init("group_ids", ["a", "a", 7, 7])]),
            with([.init("rewards", list([9.5, 9.25, -3, -2])), .init("group_ids", [1, 1, "1", "1"])]),
        ] {
            let reply = try FlatReply(
                service.post(json: body, to: "/v1/score"), lengths: batch.lengths, packed: true)
            #expect(reply.tensors == expected.tensors && reply.scalars["loss"] == expected.scalars["loss"])
        }
    }

    @Test(arguments: ["/v1/score", "/v1/mask", "/v1/entropy", "/v1/advantages"])
    func `octet-stream means safetensors, and parameters of a type are ignored`(path: String) throws {
        let service = TestService()
        var writer = SafetensorsWriter()
        switch path {
        case "/v1/entropy": writer.append("logits", shape: [2, 2], floats: [0, 1, 2, 3])
        case "/v1/advantages":
            writer.append("rewards", shape: [2], floats: [0, 1])
            writer.append("group_ids", shape: [2], integers: [4, 4])
        default:
            for name in ["original.entropy", "removing.entropy", "advantages"] {
                writer.append(name, shape: [1, 2], floats: name.hasPrefix("o") ? [1, 1] : [2, 3])
            }
            if path == "/v1/score" {
                for name in ["original", "preserving", "removing"] {
                    writer.append("\(name).log_probs", shape: [1, 2], floats: [-1, -2])
                }
            }
        }
        let body = writer.segments().flatMap { $0 }
        let reply = try service.post(path, body)
        #expect(reply.status == .ok && reply.headers[.contentType] == "application/x-safetensors")
        #expect(try service.post(path, body, type: "application/octet-stream").bytes == reply.bytes)
        #expect(try service.post(path, body, type: "Application/X-Safetensors; v=1").bytes == reply.bytes)
        // The same request gives the same bytes.
        #expect(try service.post(path, body).bytes == reply.bytes)
    }

    private func expectAgreement(
        _ batch: TokenBatch, _ options: JSONValue,
        types: [ElementType] = [.float32, .float64, .float16, .bfloat16]
    ) throws {
        let service = TestService()
        let expected = try FlatReply(
            service.post("/v1/score", batch.rollouts(options), type: "application/json"),
            lengths: batch.lengths)
        #expect(expected.tensors["token_loss"]?.map(\.count) == batch.lengths)
        #expect(expected.diagnostics.count == batch.lengths.count)
        for packed in [false, true] {
            // Padding is part of T, by which this aggregation divides unless it is told.
            let columnar = try FlatReply(
                service.post("/v1/score", batch.columnar(options, packed: packed), type: "application/json"),
                lengths: batch.lengths, packed: packed)
            #expect(columnar == expected, "columnar, packed: \(packed)")
            for type in types {
                let file = try FlatReply(
                    service.post("/v1/score", batch.safetensors(options, packed: packed, type: type)),
                    lengths: batch.lengths, packed: packed)
                #expect(file == expected, "\(type), packed: \(packed)")
            }
        }
    }
}
