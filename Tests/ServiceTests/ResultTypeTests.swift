import HTTP
import HTTPTypes
import JSON
import Service
import SharedFiles
import Tensor
import TestMaterial
import Testing

/// Gradients of the type that a request asks for; nothing else of a reply changes.
@Suite struct ResultTypeTests {
    static let options = [
        #""preset":"cppo-verl""#, #""preset":"cppo-areal","return":["grad","weights","mask"]"#,
        #""preset":"cppo-paper","gate":"none""#,
        #""preset":"cppo-paper","detector":"none","gate":"none","stop_gradient":["removing"]"#,
        #""estimator":"jeffreys","temperature":0.7,"entropy_coefficients":{"original":0.3,"removing":-0.1}"#,
        #""estimator":"k3","grad_scale":-7,"return":["all","grad.original.logits","grad.removing.logits"]"#,
    ]

    private func batch(_ options: String) throws -> [UInt8] {
        let batch = TokenBatch(lengths: [6, 2, 9], seed: 21, vocabulary: 37)
        return batch.safetensors(
            try JSONValue(parsing: Array("{\(options)}".utf8)), packed: true, type: .bfloat16)
    }

    /// The nearest, and of two equally near the even one.
    private func rounded(_ values: [Double]) -> [Double] {
        values.map { Double(bfloat16ToFloat(nearestBFloat16(Float($0)))) }
    }

    @Test(arguments: options) func `gradients are those of F32 rounded, and all else is the same`(
        options: String
    ) throws {
        let service = TestService()
        let wide = try service.post("/v1/score", batch(options))
        let narrow = try service.post("/v1/score?result_type=BF16", batch(options))
        try #require(wide.status == .ok && narrow.status == .ok, "\(narrow.text)")
        let (before, after) = (try Safetensors(parsing: wide.bytes), try Safetensors(parsing: narrow.bytes))
        #expect(before.tensors.keys == after.tensors.keys)
        var (halved, rest) = (0, 0)
        for (name, tensor) in before.tensors {
            let found = try #require(after.tensors[name])
            #expect(found.shape == tensor.shape)
            if name.hasPrefix("grad."), name != "grad.rows" {
                #expect(tensor.elementType == .float32 && found.elementType == .bfloat16, "\(name)")
                #expect(found.doubles() == rounded(tensor.doubles()), "\(name)")
                halved += tensor.count * 2
            } else {
                #expect(found.elementType == tensor.elementType && found.bytes == tensor.bytes, "\(name)")
                rest += 1
            }
        }
        #expect(halved > 0 && rest > 0)
        let results = try [before, after].map { try JSONValue(parsing: try #require($0.metadata["result"])) }
        for member in results[0].members ?? [] where member.name != "options" {
            #expect(results[1][member.name] == member.value)
        }
        #expect(results.map { $0["options"]?["result_type"] } == ["F32", "BF16"])
        // Headers differ by a few digits of offsets.
        #expect(abs(wide.bytes.count - narrow.bytes.count - halved) < 200)
    }

    @Test(arguments: options) func `JSON has the same numbers`(options: String) throws {
        let service = TestService()
        let body = try batch(options)
        let file = try FlatReply(
            service.post("/v1/score?result_type=BF16", body), lengths: [6, 2, 9], packed: true)
        let text = try service.send(
            "POST", "/v1/score?result_type=BF16", body,
            headers: [("Accept", "application/json"), ("Content-Type", "application/x-safetensors")])
        #expect(try FlatReply(text, lengths: [6, 2, 9], packed: true) == file)
    }

    @Test func `long rows of JSON are widened in parts`() throws {
        let width = 2500
        let rows = ["original", "preserving", "removing"].enumerated().map { seed, view in
            let numbers = (0..<width).map { "\(($0 * (7 + seed)) % 19)" }
            return "\"\(view).logits\":[[[\(numbers.joined(separator: ","))]]]"
        }
        let text = "{\"options\":{\"estimator\":\"full_kl\",\"detector\":\"none\",\"gate\":\"none\"},"
        let body = text + rows.joined(separator: ",") + "}"
        let service = TestService()
        let wide = try service.post(text: body, to: "/v1/score").json()
        let narrow = try service.post(text: body, to: "/v1/score?result_type=BF16").json()
        for view in ["original", "preserving", "removing"] {
            let name = "grad.\(view).logits"
            let numbers = try [wide, narrow].map {
                // Digits are those that tell a Float from its neighbours.
                try #require($0[name]?.array?.first?.array).compactMap(\.double).map { Double(Float($0)) }
            }
            #expect(numbers[0].count == width && numbers[1] == rounded(numbers[0]))
        }
    }

    @Test func `what fits F32 and not BF16 is refused, never infinite`() throws {
        // The gradients of k1's margin are ±grad_scale.
        let given =
            #""options":{"detector":"none","gate":"none","estimator":"k1","loss":"margin","grad_scale":3.4e38"#
        let logProbs =
            #""original.log_probs":[[-1]],"preserving.log_probs":[[-1]],"removing.log_probs":[[-1]]"#
        let service = TestService()
        let compact = "{\(given)},\(logProbs)}"
        #expect(try service.post(text: compact, to: "/v1/score").status == .ok)
        let refusal = try service.post(text: compact, to: "/v1/score?result_type=BF16")
        try refusal.expectProblem(.nonFiniteValue, field: "grad.preserving.log_probs", index: [0, 0])
        #expect(refusal.text.contains("does not fit BF16"))
        let row = "[[[0,40]]]"
        let logits =
            #""original.logits":\#(row),"preserving.logits":\#(row),"removing.logits":\#(row),"token_ids":[[0]]"#
        let whole = #"{\#(given),"clamp_input":null,"return":["grad.preserving.logits"]},\#(logits)}"#
        #expect(try service.post(text: whole, to: "/v1/score").status == .ok)
        try service.post(text: whole, to: "/v1/score?result_type=BF16")
            .expectProblem(.nonFiniteValue, field: "grad", index: [0, 0])
    }

    @Test func `half the memory is claimed, and none for a file`() throws {
        let (tokens, width) = (64, 4096)
        var writer = SafetensorsWriter()
        writer.setMetadata("options", #"{"estimator":"full_kl","detector":"none","gate":"none"}"#)
        let zeros = [UInt8](repeating: 0, count: 2 * tokens * width)
        for view in ["original", "preserving", "removing"] {
            writer.append("\(view).logits", .bfloat16, shape: [tokens, width], bytes: zeros)
        }
        writer.append("cu_seqlens", shape: [2], integers: [0, Int64(tokens)])
        let body = writer.segments().flatMap { $0 }
        // What is claimed beside the body: every number, and 24,576 bytes for tokens and rows.
        let numbers = 3 * tokens * width
        for (type, bytes) in [("F32", 4), ("BF16", 2)] {
            for (spare, isEnough) in [(8 << 10, false), (64 << 10, true)] {
                let service = TestService(memoryBudgetBytes: bytes * numbers + spare)
                let reply = try service.post("/v1/score?result_type=\(type)", body)
                #expect(reply.status.code == (isEnough ? 200 : 507), "\(type), \(spare)")
            }
        }
        let folder = TemporaryFolder()
        let service = TestService(
            memoryBudgetBytes: 2 * numbers + (64 << 10),
            sharedDirectory: try SharedDirectory(path: folder.path))
        for (type, bytes) in [("F32", 4), ("BF16", 2)] {
            let target = "/v1/score?result_type=\(type)&output_file=result"
            #expect(try service.post(target, body).status == .ok)
            let written = try SharedDirectory(path: folder.path).file("result").count
            #expect(written > bytes * numbers && written < bytes * numbers + (64 << 10))
        }
    }
}
