import HTTP
import HTTPTypes
import JSON
import Service
import Tensor
import TestMaterial
import Testing

/// One tensor `logits` with the three views' rows of each token next to one another says the same as three tensors.
@Suite struct InterleavedLogitsTests {
    private static let rows = 5
    private static let views = ["original", "preserving", "removing"]

    /// [view][row × vocabulary], finite everywhere.
    private static func logits(_ vocabulary: Int) -> [[Double]] {
        (1...3).map { exactLogits(rows * vocabulary, seed: $0).map { max($0, -9) } }
    }

    private static func file(
        _ type: ElementType, vocabulary: Int, interleaved: Bool, packed: Bool = true, mask: Bool = true,
        changes: (inout [[Double]]) -> Void = { _ in }
    ) -> OrderedFile {
        var file = OrderedFile()
        let extents = packed ? [rows] : [1, rows]
        if packed { file.append("cu_seqlens", .int64, [3], [0, 2, Double(rows)]) }
        file.append("token_ids", .int64, extents, (0..<rows).map { Double(($0 * 3) % vocabulary) })
        if mask { file.append("response_mask", .uint8, extents, [1, 1, 0, 1, 1]) }
        var logits = logits(vocabulary)
        changes(&logits)
        if interleaved {
            let joined = (0..<rows).flatMap { row in
                logits.flatMap { $0[row * vocabulary..<(row + 1) * vocabulary] }
            }
            file.append("logits", type, extents + [3, vocabulary], joined)
        } else {
            for (view, values) in zip(views, logits) {
                file.append("\(view).logits", type, extents + [vocabulary], values)
            }
        }
        file.append("advantages", .float32, [packed ? 2 : 1], packed ? [1, 2] : [1])
        return file
    }

    @Test(
        arguments: [
            "k3", "k1", "full_kl", "jsd", "full_kl&return=mask,token_loss", "jsd&return=delta_entropy",
        ],
        [ElementType.float32, .bfloat16, .float64])
    func `interleaved logits give the bits of three tensors`(estimator: String, type: ElementType) throws {
        let service = TestService()
        for vocabulary in [4, 1100] {
            for packed in [true, false] {
                let target = "/v1/score?estimator=\(estimator)"
                let apart = try service.stream(
                    target,
                    Self.file(type, vocabulary: vocabulary, interleaved: false, packed: packed).bytes())
                let body = Self.file(type, vocabulary: vocabulary, interleaved: true, packed: packed).bytes(
                    padding: 1)
                #expect(apart.status == .ok, "\(apart.text.prefix(300))")
                for chunks in [[body.count], [101, 7, 3000], [1500]] {
                    let together = try service.stream(target, body, chunks: chunks)
                    #expect(together.status == .ok, "\(together.text.prefix(300))")
                    #expect(together.bytes == apart.bytes, "\(target) V \(vocabulary) \(chunks)")
                }
            }
        }
    }

    @Test(arguments: ["k3", "jsd&return=token_loss"])
    func `a body cut in two at any byte gives the same bits`(estimator: String) throws {
        let service = TestService()
        let target = "/v1/score?estimator=\(estimator)"
        let body = Self.file(.bfloat16, vocabulary: 3, interleaved: true).bytes()
        let whole = try service.stream(target, body)
        #expect(whole.status == .ok)
        for cut in 1..<body.count {
            #expect(
                try service.stream(target, body, chunks: [cut, body.count]).bytes == whole.bytes, "\(cut)")
        }
        #expect(try service.stream(target, body, chunks: [1], isSized: false).bytes == whole.bytes)
    }

    @Test func `without gradients divergences need no more memory than one token`() throws {
        // 5 tokens of 3 × 1,300 doubles are 156 kB.
        let service = TestService(memoryBudgetBytes: 70_000)
        let body = Self.file(.float64, vocabulary: 1300, interleaved: true).bytes()
        let reply = try service.stream("/v1/score?estimator=full_kl&return=token_loss", body)
        #expect(reply.status == .ok, "\(reply.text)")
        let error = try service.stream("/v1/score?estimator=full_kl", body).expectProblem(
            .memoryBudgetExceeded)
        #expect(error["reason"]?.string?.contains("gradients") == true)
        // A token that would not fit is refused although all others are only folded.
        try TestService(memoryBudgetBytes: 30_000).stream(
            "/v1/score?estimator=full_kl&return=token_loss", body
        ).expectProblem(.memoryBudgetExceeded)
    }

    @Test(arguments: ["k3", "jsd&return=token_loss", "full_kl"], [true, false])
    func `a row that is wrong is named by token and view`(estimator: String, isSized: Bool) throws {
        let file = Self.file(.float32, vocabulary: 4, interleaved: true) { $0[1][3 * 4] = .nan }
        let response = try TestService().stream(
            "/v1/score?estimator=\(estimator)&detector=none", file.bytes(), chunks: [5], isSized: isSized)
        try response.expectProblem(.nonFiniteValue, field: "logits", index: [3, 1])
        // Outside the response nobody looks.
        let masked = Self.file(.float32, vocabulary: 4, interleaved: true) { $0[1][2 * 4] = .nan }
        #expect(
            try TestService().stream("/v1/score?estimator=\(estimator)", masked.bytes(), chunks: [5]).status
                == .ok)
    }

    @Test func `a view that nothing is computed from is not judged`() throws {
        var file = Self.file(.float32, vocabulary: 4, interleaved: true) { $0[1][0] = .nan }
        file.append("preserving.log_probs", .float32, [Self.rows], [-1, -1, -1, -1, -1])
        #expect(try TestService().stream("/v1/score", file.bytes(), isSized: false).status == .ok)
        try TestService().stream("/v1/score?estimator=jsd", file.bytes()).expectProblem(
            .nonFiniteValue, field: "logits", index: [0, 1])
    }

    @Test func `an infinite divergence and an impossible token are named by token and view`() throws {
        let infinite = Self.file(.float32, vocabulary: 4, interleaved: true) { $0[2][3] = -.infinity }
        for returned in ["", "&return=token_loss"] {
            try TestService().stream("/v1/score?estimator=full_kl\(returned)", infinite.bytes())
                .expectProblem(.nonFiniteValue, field: "logits", index: [0, 2])
        }
        let impossible = Self.file(.float32, vocabulary: 4, interleaved: true) { $0[0][4 + 3] = -.infinity }
        for isSized in [true, false] {
            try TestService().stream("/v1/score", impossible.bytes(), isSized: isSized)
                .expectProblem(.nonFiniteValue, field: "logits", index: [1, 0])
        }
    }

    @Test func `shapes and company are checked`() throws {
        let service = TestService()
        var both = Self.file(.float32, vocabulary: 4, interleaved: true)
        both.append("original.logits", .float32, [Self.rows, 4], .init(repeating: 0, count: Self.rows * 4))
        try service.stream("/v1/score", both.bytes(), isSized: false)
            .expectProblem(.conflictingFields, field: "original.logits")
        for (shape, type) in [([Self.rows, 2, 4], ElementType.float32), ([3, Self.rows, 4], .float32)] {
            var file = Self.file(.float32, vocabulary: 4, interleaved: true)
            file.entries.removeAll { $0.name == "logits" }
            file.append("logits", type, shape, .init(repeating: 0, count: shape.reduce(1, *)))
            try service.stream("/v1/score", file.bytes(), isSized: false).expectProblem(.invalidShape)
        }
        var flat = Self.file(.float32, vocabulary: 4, interleaved: true)
        flat.entries.removeAll { $0.name == "cu_seqlens" }
        try service.stream("/v1/score", flat.bytes()).expectProblem(.invalidShape, field: "logits")
        // Numbers as text are few: there the three views stand by themselves.
        try service.post(text: #"{"logits": [[[[1, 2], [1, 2], [1, 2]]]]}"#, to: "/v1/score")
            .expectProblem(.unknownField, field: "logits")
    }
}
