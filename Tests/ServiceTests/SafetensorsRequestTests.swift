import HTTP
import HTTPTypes
import JSON
import Service
import Tensor
import TestMaterial
import Testing

/// What only a safetensors body can say, or get wrong.
@Suite struct SafetensorsRequestTests {
    private func file(
        _ tensors: [(String, ElementType, [Int], [Double])], options: String? = nil
    ) -> [UInt8] {
        var writer = SafetensorsWriter()
        if let options { writer.setMetadata("options", options) }
        for (name, type, shape, values) in tensors {
            writer.append(name, type, shape: shape, bytes: littleEndian(values, type))
        }
        return writer.segments().flatMap { $0 }
    }

    private func score(_ changes: [(String, ElementType, [Int], [Double])] = [], options: String? = nil)
        -> [UInt8]
    {
        let names = [
            "original.log_probs", "preserving.log_probs", "removing.log_probs", "original.entropy",
            "removing.entropy",
        ]
        let given = Set(changes.map(\.0))
        let right = names.filter { !given.contains($0) }.enumerated().map { index, name in
            (
                name, ElementType.float32, [2, 2],
                [Double](repeating: name.hasSuffix("log_probs") ? -Double(index) : Double(index), count: 4)
            )
        }
        let advantages =
            given.contains("advantages") ? [] : [("advantages", ElementType.float32, [2], [1.0, 1])]
        return file(right + advantages + changes, options: options)
    }

    @Test func `malformed files and options are answered with their place`() throws {
        let service = TestService()
        try service.post("/v1/score", []).expectProblem(.malformedSafetensors, byte: 0)
        try service.post("/v1/score", [1, 2, 3]).expectProblem(.malformedSafetensors, byte: 3)
        try service.post("/v1/score", score() + [0]).expectProblem(.malformedSafetensors, field: "body")
        try service.post("/v1/score", Array("{\"rollouts\":[]}".utf8)).expectProblem(
            .malformedSafetensors, byte: 0)
        try service.post("/v1/score", score(options: "{")).expectProblem(
            .malformedJSON, field: "__metadata__.options", byte: 1)
        try service.post("/v1/score", score(options: "[]")).expectProblem(
            .invalidType, field: "__metadata__.options")
        try service.post("/v1/score", score(options: #"{"tua":1}"#)).expectProblem(
            .unknownOption, field: "tua")
        try service.post("/v1/score", score([("original.logprobs", .float32, [2, 2], [0, 0, 0, 0])]))
            .expectProblem(.unknownField, field: "original.logprobs")
    }

    static let wrongTypes: [(String, ElementType)] = [
        ("original.log_probs", .int32), ("removing.entropy", .uint8), ("original.log_probs", .bool),
        ("response_mask", .float32), ("response_mask", .bfloat16), ("token_ids", .float32),
        ("token_ids", .float64),
    ]

    @Test(arguments: wrongTypes) func `element types that a tensor doesn't take are refused`(
        name: String, type: ElementType
    ) throws {
        try TestService().post("/v1/score", score([(name, type, [2, 2], [1, 1, 1, 1])]))
            .expectProblem(.invalidElementType, field: name)
    }

    @Test(arguments: [[2, 2], [4, 1], []]) func `groups are one list`(shape: [Int]) throws {
        let count = shape.reduce(1, *)
        let ones = [Double](repeating: 1, count: count)
        let body = file([("rewards", .float32, [count], ones), ("group_ids", .int64, shape, ones)])
        try TestService().post("/v1/advantages", body).expectProblem(.invalidShape, field: "group_ids")
    }

    @Test func `advantages, rewards, groups and offsets have element types too`() throws {
        let service = TestService()
        try service.post("/v1/score", score([("advantages", .int64, [2], [1, 1])]))
            .expectProblem(.invalidElementType, field: "advantages")
        try service.post(
            "/v1/advantages", file([("rewards", .int32, [1], [1]), ("group_ids", .int64, [1], [1])])
        )
        .expectProblem(.invalidElementType, field: "rewards")
        try service.post(
            "/v1/advantages", file([("rewards", .float32, [1], [1]), ("group_ids", .float32, [1], [1])])
        )
        .expectProblem(.invalidElementType, field: "group_ids")
        try service.post(
            "/v1/entropy", file([("logits", .float32, [1, 1], [1]), ("cu_seqlens", .float32, [2], [0, 1])])
        )
        .expectProblem(.invalidElementType, field: "cu_seqlens")
    }

    @Test(arguments: [ElementType.bool, .uint8, .int8, .int16, .int32, .int64])
    func `masks come in every integer type`(type: ElementType) throws {
        let reply = try TestService().post(
            "/v1/score", score([("response_mask", type, [2, 2], [0, 1, 1, 0])]))
        let result = try Safetensors(parsing: reply.bytes)
        #expect(result.tensors["gate"]?.doubles() == [0, 1, 1, 0])
    }

    static let nonFinite: [(String, Double)] = [
        "original.log_probs", "removing.log_probs", "original.entropy",
    ].flatMap { name in
        [Double.nan, .infinity, -.infinity].map { (name, $0) }
    }

    @Test(arguments: nonFinite, [ElementType.float16, .bfloat16, .float32, .float64])
    func `what is not finite inside the response is refused with its place, in padding it is not looked at`(
        wrong: (String, Double), type: ElementType
    ) throws {
        let service = TestService()
        let right = wrong.0.hasSuffix("log_probs") ? -0.5 : 0.5
        let values = [right, right, wrong.1, right]
        try service.post("/v1/score", score([(wrong.0, type, [2, 2], values)]))
            .expectProblem(.nonFiniteValue, field: wrong.0, index: [1, 0])
        let mask = ("response_mask", ElementType.bool, [2, 2], [1.0, 1, 0, 1])
        #expect(try service.post("/v1/score", score([(wrong.0, type, [2, 2], values), mask])).status == .ok)
        let other = ("response_mask", ElementType.bool, [2, 2], [0.0, 0, 1, 0])
        try service.post("/v1/score", score([(wrong.0, type, [2, 2], values), other]))
            .expectProblem(.nonFiniteValue, field: wrong.0, index: [1, 0])
    }

    @Test func `advantages are finite where the response is`() throws {
        let service = TestService()
        try service.post("/v1/score", score([("advantages", .float32, [2], [1, .nan])]))
            .expectProblem(.nonFiniteValue, field: "advantages", index: [1])
        try service.post("/v1/score", score([("advantages", .float32, [2, 2], [1, 1, 1, .infinity])]))
            .expectProblem(.nonFiniteValue, field: "advantages", index: [1, 1])
        let mask = ("response_mask", ElementType.uint8, [2, 2], [1.0, 1, 1, 0])
        let body = score([("advantages", .float32, [2, 2], [1, 1, 1, .infinity]), mask])
        #expect(try service.post("/v1/score", body).status == .ok)
    }

    @Test(
        arguments: [
            ([0, Double.nan], "nan"), ([Double.infinity, 0], "inf"),
            ([-Double.infinity, -Double.infinity], "-inf"),
        ] as [([Double], String)], [ElementType.float16, .bfloat16, .float32, .float64])
    func `logits may be −inf, but no row NaN, +inf or nothing at all`(
        wrong: ([Double], String), type: ElementType
    ) throws {
        let service = TestService()
        let body = file([("logits", type, [1, 2, 2], [0, -.infinity] + wrong.0)])
        let error = try service.post("/v1/entropy", body).expectProblem(
            .nonFiniteValue, field: "logits", index: [0, 1])
        #expect(error["found"]?.string == wrong.1)
    }

    @Test func `a realised token without probability is refused with its place`() throws {
        let logits = ("logits", ElementType.float32, [2, 2], [0, -Double.infinity, 0, 0])
        try TestService().post("/v1/entropy", file([logits, ("token_ids", .int64, [2], [1, 0])]))
            .expectProblem(.nonFiniteValue, field: "logits", index: [0])
        let reply = try TestService().post(
            "/v1/entropy", file([logits, ("token_ids", .int64, [2], [0, 0])]))
        let result = try Safetensors(parsing: reply.bytes)
        #expect(
            result.tensors["log_probs"]?.doubles()[0] == 0 && result.tensors["entropy"]?.doubles()[0] == 0)
    }

    /// Shapes whose data take no bytes cost nothing to claim, and must cost nothing to hear.
    static let emptyClaims: [(String, [(String, ElementType, [Int], [Double])])] = [
        ("/v1/score", [("original.logits", .float32, [1, 1 << 46, 0], [])]),
        ("/v1/score", [("original.logits", .float32, [1 << 23, 1 << 23, 0], [])]),
        ("/v1/score", [("original.log_probs", .float32, [1 << 40, 0], [])]),
        ("/v1/score", [("original.log_probs", .float32, [1 << 20, 0], [])]),
        (
            "/v1/score",
            [("original.logits", .float32, [1 << 46, 0], []), ("cu_seqlens", .int64, [2], [0, 0x1p46])]
        ),
        (
            "/v1/score",
            [("original.log_probs", .float32, [1], [0]), ("cu_seqlens", .int64, [2], [0, 0x1p40])]
        ),
        (
            "/v1/score",
            [("original.log_probs", .float32, [1], [0]), ("cu_seqlens", .int64, [2], [0, 0x1p62])]
        ),
        (
            "/v1/mask",
            [("original.entropy", .float32, [1], [0]), ("cu_seqlens", .int64, [3], [0, 0, 0x1p39])]
        ),
        ("/v1/mask", [("response_mask", .bool, [1 << 40, 0], [])]),
        ("/v1/entropy", [("logits", .float32, [1 << 46, 0], [])]),
        ("/v1/entropy", [("logits", .float32, [1 << 40, 0, 5], [])]),
        ("/v1/entropy", [("logits", .float32, [3, 5, 0], [])]),
        ("/v1/entropy", [("logits", .float32, [1, 1], [0]), ("cu_seqlens", .int64, [2], [0, 0x1p40])]),
    ]

    @Test(arguments: emptyClaims)
    func `claims of tokens that no tensor holds are refused before any memory is spent`(
        path: String, tensors: [(String, ElementType, [Int], [Double])]
    ) throws {
        let response = try TestService().post(path, file(tensors))
        #expect(response.status == .unprocessableContent, "\(response.text)")
        #expect(
            ["invalid-shape", "invalid-value"].contains(
                try JSONValue(parsing: response.bytes)["type"]?.string))
    }

    @Test func `cu_seqlens alone says nothing`() throws {
        for path in ["/v1/score", "/v1/mask", "/v1/entropy"] {
            try TestService().post(path, file([("cu_seqlens", .int64, [2], [0, 0x1p40])])).expectProblem(
                .missingField)
        }
    }

    @Test func `every truncation and any changed byte of a request gets an answer`() throws {
        let service = TestService()
        let batch = TokenBatch(lengths: [2, 1], seed: 5, vocabulary: 3)
        let body = batch.safetensors(["estimator": "jsd"], packed: true)
        #expect(try service.post("/v1/score", body).status == .ok)
        for length in stride(from: 0, to: body.count, by: 3) {
            try service.post("/v1/score", Array(body[..<length])).expectProblem(.malformedSafetensors)
        }
        var random = SeededGenerator(seed: 6)
        for _ in 0..<1500 {
            var changed = body
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                changed[Int.random(in: 8..<changed.count, using: &random)] = UInt8(
                    truncatingIfNeeded: random.next())
            }
            let status = try service.post("/v1/score", changed).status.code
            #expect([200, 400, 422].contains(status))
        }
    }
}
