import HTTP
import HTTPTypes
import JSON
import Service
import Tensor
import TestMaterial
import Testing

/// Bodies that are computed on while they arrive: how they are cut must not be seen in the answer.
@Suite struct StreamedBodyTests {
    /// Ids before the logits, then a mask and entropies, as `/v1/score` takes them.
    private func score(
        _ type: ElementType, rows: Int, vocabulary: Int, order: [String]? = nil, options: String? = nil
    ) -> OrderedFile {
        var file = OrderedFile(options: options)
        let ids = (0..<rows).map { Double(($0 * 7) % vocabulary) }
        file.append("token_ids", .int64, [1, rows], ids)
        for (seed, view) in ["original", "preserving", "removing"].enumerated() {
            var logits = exactLogits(rows * vocabulary, seed: UInt64(seed + 1))
            for row in 0..<rows { logits[row * vocabulary + Int(ids[row])] = 1 }
            file.append("\(view).logits", type, [1, rows, vocabulary], logits)
        }
        file.append("response_mask", .uint8, [1, rows], (0..<rows).map { $0 == 1 ? 0 : 1 })
        file.append("advantages", .float32, [1], [1])
        if let order {
            file.entries.sort { order.firstIndex(of: $0.name) ?? 0 < order.firstIndex(of: $1.name) ?? 0 }
        }
        return file
    }

    private func entropy(_ type: ElementType, rows: Int, vocabulary: Int, idsFirst: Bool = true)
        -> OrderedFile
    {
        var file = OrderedFile()
        let ids = (0..<rows).map { Double(($0 * 5) % vocabulary) }
        var logits = exactLogits(rows * vocabulary, seed: 9)
        for row in 0..<rows { logits[row * vocabulary + Int(ids[row])] = -2 }
        if idsFirst { file.append("token_ids", .int32, [rows], ids) }
        file.append("logits", type, [rows, vocabulary], logits)
        if !idsFirst { file.append("token_ids", .int32, [rows], ids) }
        return file
    }

    private func same(_ response: Response, _ expected: Response, _ note: String) {
        #expect(response.status == .ok, "\(note): \(response.text.prefix(500))")
        #expect(response.bytes == expected.bytes, "\(note)")
    }

    static let floats = [ElementType.float32, .bfloat16, .float16, .float64]

    @Test(arguments: floats) func `a body cut in two at any byte gives the same bits`(type: ElementType)
        throws
    {
        let service = TestService()
        for (target, file, step) in [
            ("/v1/entropy", entropy(type, rows: 4, vocabulary: 5), 1),
            ("/v1/score?estimator=k2", score(type, rows: 3, vocabulary: 4), 7),
        ] {
            let body = file.bytes(padding: 3)
            let whole = try service.stream(target, body, chunks: [body.count])
            #expect(whole.status == .ok, "\(whole.text)")
            for cut in stride(from: 1, to: body.count, by: step) {
                same(try service.stream(target, body, chunks: [cut, body.count]), whole, "\(target) \(cut)")
            }
            same(try service.stream(target, body, chunks: [1]), whole, "byte by byte")
            same(try service.stream(target, body, chunks: [1], isSized: false), whole, "chunked")
        }
    }

    /// Rows of several blocks and a rest, none of them aligned.
    @Test(arguments: floats, [1023, 1024, 1025, 3100])
    func `rows of many blocks give the same bits however they are cut`(
        type: ElementType, vocabulary: Int
    ) throws {
        let service = TestService()
        let body = entropy(type, rows: 5, vocabulary: vocabulary).bytes(padding: 5)
        let whole = try service.stream("/v1/entropy", body, chunks: [body.count])
        var random = SeededGenerator(seed: UInt64(vocabulary))
        for _ in 0..<5 {
            let most = [100, 5000, 20_000].randomElement(using: &random) ?? 1
            let chunks = (0..<50).map { _ in Int.random(in: 1...most, using: &random) }
            same(try service.stream("/v1/entropy", body, chunks: chunks), whole, "\(chunks)")
        }
    }

    /// With the ids behind them the logits are kept: the two ways are each other's twin.
    @Test(arguments: floats, [3, 2050])
    func `logits that are reduced and logits that are kept give the same bits`(
        type: ElementType, vocabulary: Int
    ) throws {
        let service = TestService()
        let reduced = try service.stream(
            "/v1/entropy", entropy(type, rows: 6, vocabulary: vocabulary).bytes(), chunks: [777])
        let kept = try service.stream(
            "/v1/entropy", entropy(type, rows: 6, vocabulary: vocabulary, idsFirst: false).bytes(),
            chunks: [777])
        same(reduced, kept, "entropy")
        #expect(try Safetensors(parsing: reduced.bytes).tensors["log_probs"]?.shape == [6])
    }

    @Test(arguments: ["k3", "jsd"]) func `any order of tensors gives the same answer`(estimator: String)
        throws
    {
        let service = TestService()
        let file = score(.bfloat16, rows: 4, vocabulary: 9)
        let target = "/v1/score?estimator=\(estimator)"
        let expected = try service.stream(target, file.bytes())
        var random = SeededGenerator(seed: 4)
        for _ in 0..<30 {
            var shuffled = file
            shuffled.entries.shuffle(using: &random)
            same(
                try service.stream(target, shuffled.bytes(), chunks: [13]), expected,
                "\(shuffled.entries.map(\.name))")
        }
    }

    @Test func `packed rows may be marked before or behind their logits`() throws {
        var file = OrderedFile()
        file.append("original.logits", .float32, [5, 3], exactLogits(15, seed: 3).map { max($0, -9) })
        file.append("cu_seqlens", .int32, [3], [0, 2, 5])
        var other = file
        other.entries.reverse()
        let service = TestService()
        let behind = try service.stream("/v1/entropy", file.bytes(), chunks: [7])
        same(try service.stream("/v1/entropy", other.bytes(), chunks: [7]), behind, "before")
        var wrong = OrderedFile()
        wrong.append("original.logits", .float32, [5, 3], [Double](repeating: 0, count: 15))
        wrong.append("cu_seqlens", .int32, [3], [0, 2, 4])
        try service.stream("/v1/entropy", wrong.bytes(), isSized: false)
            .expectProblem(.invalidShape, field: "cu_seqlens")
    }

    @Test(arguments: [true, false]) func `what a mask leaves out is not judged, whenever the mask comes`(
        maskFirst: Bool
    ) throws {
        var file = score(.float32, rows: 3, vocabulary: 4)
        let index = try #require(file.entries.firstIndex { $0.name == "preserving.logits" })
        let entry = file.entries[index]
        // Row 1 is outside the response.
        let bytes = entry.bytes[..<16] + littleEndian([.nan, 0, .infinity, 0], .float32) + entry.bytes[32...]
        file.entries[index] = .init(
            name: entry.name, type: entry.type, shape: entry.shape, bytes: Array(bytes))
        let clean = try TestService().stream("/v1/score", score(.float32, rows: 3, vocabulary: 4).bytes())
        if maskFirst { file.entries.insert(file.entries.remove(at: 4), at: 0) }
        #expect(file.entries[maskFirst ? 0 : 4].name == "response_mask")
        same(
            try TestService().stream("/v1/score", file.bytes(), chunks: [9], isSized: false), clean, "masked")
    }

    @Test func `logits from which nothing is computed are passed over`() throws {
        var file = OrderedFile()
        for view in ["original", "preserving", "removing"] {
            file.append("\(view).log_probs", .float32, [1, 2], [-1, -2])
            file.append("\(view).logits", .float32, [1, 2, 2000], .init(repeating: .nan, count: 4000))
        }
        // The budget would not hold them.
        let reply = try TestService(memoryBudgetBytes: 16 << 10).stream(
            "/v1/score?detector=none&gate=none", file.bytes())
        #expect(reply.status == .ok, "\(reply.text.prefix(300))")
    }
}
