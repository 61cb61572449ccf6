import HTTP
import HTTPTypes
import JSON
import Service
import Tensor
import Testing

/// What is wrong is answered when it is known. Every body here breaks off: an answer that came later would say so.
@Suite struct EarlyAnswerTests {
    private static let rows = 4

    /// Logits of all views behind their ids, right but for the changes.
    private static func file(
        _ changes: [(String, ElementType, [Int], [Double])] = [], without: String? = nil,
        options: String? = nil
    ) -> OrderedFile {
        var file = OrderedFile(options: options)
        file.append("token_ids", .int64, [1, rows], [0, 1, 2, 0])
        for view in ["original", "preserving", "removing"] {
            file.append("\(view).logits", .float32, [1, rows, 3], .init(repeating: 0, count: rows * 3))
        }
        file.append("advantages", .float32, [1], [1])
        file.entries.removeAll { $0.name == without }
        for (name, type, shape, values) in changes {
            let index = file.entries.firstIndex { $0.name == name } ?? file.entries.endIndex
            file.append(name, type, shape, values)
            let entry = file.entries.removeLast()
            if index < file.entries.endIndex {
                file.entries[index] = entry
            } else {
                file.entries.append(entry)
            }
        }
        return file
    }

    private func answer(
        _ file: OrderedFile, _ target: String, upTo end: Int, isSized: Bool = false
    ) throws -> Response {
        try TestService().stream(target, Array(file.bytes()[..<end]), chunks: [11], isSized: isSized)
    }

    private func dataStart(_ file: OrderedFile) -> Int { file.start(of: file.entries[0].name) }

    struct Wrong: Sendable, CustomTestStringConvertible {
        let kind: Problem.Kind
        let field: String
        var target = "/v1/score"
        var changes: [(String, ElementType, [Int], [Double])] = []
        var without: String?
        var options: String?

        var testDescription: String { "\(kind.rawValue) \(field)" }
    }

    static let zeros = [Double](repeating: 0, count: 12)
    static let wrongHeaders = [
        Wrong(
            kind: .unknownField, field: "original.logit",
            changes: [("original.logit", .float32, [1, 4, 3], zeros)]),
        Wrong(kind: .unknownOption, field: "tua", target: "/v1/score?tua=1"),
        Wrong(kind: .unknownOption, field: "tua", options: #"{"tua": 1}"#),
        Wrong(kind: .malformedJSON, field: "__metadata__.options", options: "{"),
        Wrong(kind: .missingField, field: "token_ids", without: "token_ids"),
        Wrong(kind: .missingField, field: "removing.log_probs", without: "removing.logits"),
        Wrong(kind: .missingField, field: "advantages", without: "advantages"),
        Wrong(
            kind: .invalidShape, field: "removing.logits",
            changes: [("removing.logits", .float32, [1, 3, 4], zeros)]),
        Wrong(
            kind: .invalidShape, field: "preserving.logits",
            changes: [("preserving.logits", .float32, [1, 4, 1], [0, 0, 0, 0])]),
        Wrong(
            kind: .invalidShape, field: "token_ids", changes: [("token_ids", .int64, [4, 1], [0, 0, 0, 0])]),
        Wrong(kind: .invalidShape, field: "advantages", changes: [("advantages", .float32, [3], [1, 1, 1])]),
        Wrong(
            kind: .invalidShape, field: "response_mask",
            changes: [("response_mask", .bool, [1, 3], [1, 1, 1])]),
        Wrong(
            kind: .invalidElementType, field: "response_mask",
            changes: [("response_mask", .float32, [1, 4], [1, 1, 1, 1])]),
        Wrong(
            kind: .invalidElementType, field: "original.logits",
            changes: [("original.logits", .int32, [1, 4, 3], zeros)]),
        Wrong(
            kind: .invalidElementType, field: "token_ids",
            changes: [("token_ids", .float32, [1, 4], [0, 0, 0, 0])]),
        Wrong(
            kind: .conflictingFields, field: "advantages", changes: [("rewards", .float32, [1], [1])]),
        Wrong(
            kind: .invalidElementType, field: "group_ids", without: "advantages"),
    ]

    @Test(arguments: wrongHeaders) func `what the header shows is answered before any data`(
        wrong: Wrong
    ) throws {
        var changes = wrong.changes
        if wrong.field == "group_ids" {
            changes += [("rewards", .float32, [1], [1]), ("group_ids", .float32, [1], [1])]
        }
        let file = Self.file(changes, without: wrong.without, options: wrong.options)
        let early = try answer(file, wrong.target, upTo: dataStart(file))
        try early.expectProblem(wrong.kind, field: wrong.field)
        // The same words as of the complete body.
        let late = try TestService().stream(wrong.target, file.bytes())
        #expect(early.bytes == late.bytes, "\(early.text)\n\(late.text)")
    }

    @Test func `a header that is none is answered at its first bytes`() throws {
        let service = TestService()
        try service.stream("/v1/score", Array("{\"rollouts\": []}".utf8), chunks: [1], isSized: false)
            .expectProblem(.malformedSafetensors, byte: 0)
        // Valid in the format, but nothing that is read on a thread that others wait for.
        let claim = (0..<8).map { UInt8(truncatingIfNeeded: ((1 << 20) + 1) >> (8 * $0)) }
        try service.stream("/v1/mask", claim, chunks: [3], isSized: false)
            .expectProblem(.malformedSafetensors, field: "body", byte: 0)
    }

    @Test(arguments: [
        (Double.nan, 1.0, "nan"), (.infinity, 1, "inf"), (-.infinity, -.infinity, "-inf"),
    ]) func `a row that is wrong ends the request where it ends`(
        wrong: (first: Double, others: Double, found: String)
    ) throws {
        var values = Self.zeros
        values[6...8] = [wrong.first, wrong.others, wrong.others]
        let file = Self.file([("preserving.logits", .float32, [1, 4, 3], values)])
        let end = file.start(of: "preserving.logits") + 9 * 4
        let early = try answer(file, "/v1/score", upTo: end)
        let error = try early.expectProblem(.nonFiniteValue, field: "preserving.logits", index: [0, 2])
        #expect(error["found"]?.string == wrong.found)
        #expect(try TestService().stream("/v1/score", file.bytes()).bytes == early.bytes)
        // One byte sooner nothing is known.
        try answer(file, "/v1/score", upTo: end - 1).expectProblem(.malformedSafetensors)
    }

    @Test func `an impossible token ends the request at its row`() throws {
        var values = Self.zeros
        values[4] = -.infinity
        let file = Self.file([("original.logits", .float32, [1, 4, 3], values)])
        let early = try answer(file, "/v1/score", upTo: file.start(of: "original.logits") + 6 * 4)
        try early.expectProblem(.nonFiniteValue, field: "original.logits", index: [0, 1])
        #expect(try TestService().stream("/v1/score", file.bytes()).bytes == early.bytes)
    }

    @Test func `small tensors are judged before the logits behind them`() throws {
        let ids = Self.file([("token_ids", .int64, [1, 4], [0, 3, 0, 0])])
        try answer(ids, "/v1/score", upTo: ids.start(of: "original.logits"))
            .expectProblem(.invalidValue, field: "token_ids", index: [0, 1])
        var mask = Self.file([("response_mask", .uint8, [1, 4], [0, 1, 2, 1])])
        mask.entries.insert(mask.entries.removeLast(), at: 0)
        try answer(mask, "/v1/score", upTo: mask.start(of: "original.logits"))
            .expectProblem(.invalidValue, field: "response_mask", index: [0, 2])
    }

    @Test func `while the mask is to come, no row is judged`() throws {
        var values = Self.zeros
        values[0] = .nan
        let mask = ("response_mask", ElementType.uint8, [1, 4], [1.0, 1, 1, 1])
        let file = Self.file([("original.logits", .float32, [1, 4, 3], values), mask])
        try answer(file, "/v1/score", upTo: file.start(of: "response_mask"))
            .expectProblem(.malformedSafetensors)
        try TestService().stream("/v1/score", file.bytes()).expectProblem(
            .nonFiniteValue, field: "original.logits", index: [0, 0])
    }

    /// Of a request whose logits must be held, what it says and how it could be sent.
    @Test(arguments: [("k3", true, "token_ids"), ("full_kl", false, "full_kl")])
    func `what would have to be held and does not fit is refused with advice at its header`(
        estimator: String, idsLast: Bool, word: String
    ) throws {
        var file = Self.file()
        let vocabulary = 100_000
        file.entries = file.entries.map { entry in
            entry.name.hasSuffix("logits")
                ? .init(
                    name: entry.name, type: .uint8, shape: [1, Self.rows, vocabulary],
                    bytes: [UInt8](repeating: 0, count: Self.rows * vocabulary * 4)) : entry
        }
        if idsLast { file.entries.append(file.entries.removeFirst()) }
        let start = dataStart(file)
        // Type words are written last, so that no floats have to be made.
        let text = String(decoding: file.bytes()[8..<start], as: UTF8.self)
        let header = Array(text.replacing("\"U8\"", with: "\"F32\"").utf8)
        let body = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) } + header
        let response = try TestService(memoryBudgetBytes: 1 << 20).stream(
            "/v1/score?estimator=\(estimator)", body, isSized: false)
        let error = try response.expectProblem(.memoryBudgetExceeded, field: "body")
        #expect(error["reason"]?.string?.contains(word) == true, "\(response.text)")
        #expect(try JSONValue(parsing: response.bytes)["limit"] == .integer(1 << 20))
    }

    @Test func `a body whose logits are reduced may be larger than all memory`() throws {
        let service = TestService(memoryBudgetBytes: 32 << 10)
        var file = OrderedFile()
        file.append("logits", .float32, [10, 3000], exactLogits(30_000, seed: 1))
        let reply = try service.stream("/v1/entropy", file.bytes(), chunks: [999])
        #expect(reply.status == .ok, "\(reply.text)")
        file.append("token_ids", .int32, [10], [Double](repeating: 1, count: 10))
        try service.stream("/v1/entropy", file.bytes(), chunks: [999])
            .expectProblem(.memoryBudgetExceeded, field: "body")
        #expect(try service.stream("/v1/entropy?return=entropy", file.bytes()).status == .ok)
    }

    @Test func `little that is left is read, so that every fault is named`() throws {
        var values = Self.zeros
        values[0] = .nan
        values[9] = .nan
        let file = Self.file([("original.logits", .float32, [1, 4, 3], values)])
        let response = try TestService().stream("/v1/score", file.bytes(), chunks: [5])
        try response.expectProblem(.nonFiniteValue, field: "original.logits", index: [0, 0])
        let errors = try #require(JSONValue(parsing: response.bytes)["errors"]?.array)
        #expect(errors.map { $0["index"] } == [[0, 0], [0, 3]])
    }
}
