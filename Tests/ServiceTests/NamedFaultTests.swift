import HTTP
import HTTPTypes
import JSON
import Service
import Tensor
import Testing

/// Faults that are easily taken for others say what they are.
@Suite struct NamedFaultTests {
    /// A file of one tensor whose element type the writer here doesn't know.
    private func file(_ name: String, type: String, shape: [Int], bytes: Int) -> [UInt8] {
        let header = JSONValue.object([
            .init(
                name,
                [
                    "dtype": .string(type), "shape": list(shape),
                    "data_offsets": [0, .integer(Int64(bytes))],
                ])
        ]).text
        let count = header.utf8.count
        return (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } + header.utf8
            + [UInt8](repeating: 0, count: bytes)
    }

    @Test(arguments: ["F8_E4M3", "F8_E5M2", "F8_E8M0", "C64"])
    func `a type of the format that is not read is the wrong type, with what may be given`(type: String)
        throws
    {
        let reply = try TestService().post(
            "/v1/score", file("original.logits", type: type, shape: [1, 1, 8], bytes: type == "C64" ? 64 : 8))
        let error = try reply.expectProblem(.invalidElementType, field: "original.logits")
        #expect(error["found"]?.string == type && error["expected"]?.string == "F32, F16, BF16 or F64")
        try TestService().post("/v1/score", file("original.logits", type: "F33", shape: [8], bytes: 8))
            .expectProblem(.malformedSafetensors, field: "original.logits")
    }

    @Test func `an unsigned id beyond Int64 is no token where it counts, and anything where it doesn't`()
        throws
    {
        func post(mask: [UInt8]) throws -> Response {
            var writer = SafetensorsWriter()
            writer.setMetadata("options", #"{"detector":"none","gate":"none"}"#)
            for view in ["original", "preserving", "removing"] {
                writer.append("\(view).logits", shape: [1, 2, 2], floats: [0, 1, 1, 0])
            }
            let ids = [UInt8](repeating: 0, count: 8) + [UInt8](repeating: 0xFF, count: 8)
            writer.append("token_ids", .uint64, shape: [1, 2], bytes: ids)
            writer.append("response_mask", shape: [1, 2], masks: mask)
            return try TestService().post("/v1/score", writer.segments().flatMap { $0 })
        }
        #expect(try post(mask: [1, 0]).status == .ok)
        let error = try post(mask: [1, 1]).expectProblem(.invalidValue, field: "token_ids", index: [0, 1])
        #expect(error["found"]?.string == "18446744073709551615")
    }

    @Test func `empty logits keep their vocabulary`() throws {
        for (shape, offsets) in [([0, 4, 5], nil), ([2, 0, 5], nil), ([0, 5], [0])] as [([Int], [Int]?)] {
            var writer = SafetensorsWriter()
            writer.setMetadata("options", #"{"preset":"cppo-paper","gate":"none"}"#)
            for view in ["original", "preserving", "removing"] {
                writer.append("\(view).logits", shape: shape, floats: [])
            }
            if let offsets { writer.append("cu_seqlens", shape: [1], integers: offsets.map(Int64.init)) }
            let reply = try TestService().post("/v1/score", writer.segments().flatMap { $0 })
            try #require(reply.status == .ok, "\(reply.text)")
            #expect(
                try Safetensors(parsing: reply.bytes).tensors["grad.original.logits"]?.shape == [0, 5],
                "\(shape)")
        }
    }

    static let packed =
        #""original.log_probs":[-1,-1],"preserving.log_probs":[-1,-1],"removing.log_probs":[-1,-1]"#
    static let options = #""options":{"detector":"none"}"#

    @Test func `as many advantages as sequences and as tokens are refused unless both readings agree`() throws
    {
        let service = TestService()
        let start = "{\(NamedFaultTests.options),\(NamedFaultTests.packed)"
        try service.post(text: "\(start),\"cu_seqlens\":[0,2,2],\"advantages\":[1,-1]}", to: "/v1/score")
            .expectProblem(.invalidShape, field: "advantages")
        for text in ["[0,1,2],\"advantages\":[1,-1]", "[0,2,2],\"advantages\":[1,1]"] {
            let reply = try service.post(text: "\(start),\"cu_seqlens\":\(text)}", to: "/v1/score")
            #expect(reply.status == .ok, "\(reply.text)")
        }
    }

    @Test func `a wrong shape of advantages names both that are right`() throws {
        let rows =
            #""original.log_probs":[[-1],[-1]],"preserving.log_probs":[[-1],[-1]],"removing.log_probs":[[-1],[-1]]"#
        let error = try TestService().post(
            text: "{\(NamedFaultTests.options),\(rows),\"advantages\":[[1],[2],[3]]}", to: "/v1/score"
        ).expectProblem(.invalidShape, field: "advantages")
        let expected = try #require(error["expected"]?.string)
        #expect(expected.contains("[2, 1]") && expected.contains("[2]"))
    }

    static let hints: [(path: String, body: String, hint: String)] = [
        ("/v1/score", #"{"rollouts":[{"advantages":0.5}]}"#, "advantage"),
        ("/v1/score", #"{"rollouts":[{"original.log_probs":[-1]}]}"#, #"{"original": {"log_probs": […]}}"#),
        ("/v1/score", #"{"original.log_probs":[[-Infinity]]}"#, "safetensors"),
        ("/v1/score?return=mask&return=gate", #"{"rollouts":[]}"#, "commas"),
    ]

    @Test(arguments: hints) func `a near miss gets a hint`(path: String, body: String, hint: String) throws {
        let reply = try TestService().post(text: body, to: path)
        #expect(reply.status == .badRequest)
        let errors = try JSONValue(parsing: reply.bytes)["errors"]?.array ?? []
        let texts = errors.flatMap { [$0["reason"]?.string ?? "", $0["expected"]?.string ?? ""] }
        #expect(texts.contains { $0.contains(hint) }, "\(reply.text)")
    }
}
