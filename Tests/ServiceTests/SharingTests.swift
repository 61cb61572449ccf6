import Glibc
import HTTP
import HTTPTypes
import JSON
import Service
import SharedFiles
import Tensor
import TestMaterial
import Testing

/// Requests that name files of the shared directory instead of carrying bodies.
@Suite struct SharingTests {
    private let folder = TemporaryFolder()

    private var service: TestService {
        get throws { TestService(sharedDirectory: try SharedDirectory(path: folder.path)) }
    }

    /// Two sequences of three tokens over a vocabulary of five, with what every estimator needs.
    private func batch(options: String) -> [UInt8] {
        var writer = SafetensorsWriter()
        writer.setMetadata("options", options)
        for (number, view) in ["original", "preserving", "removing"].enumerated() {
            let logits = (0..<30).map { Float(($0 * 7 + number * 5) % 11) / Float(2 + number) }
            writer.append("\(view).logits", shape: [2, 3, 5], floats: logits)
        }
        writer.append("token_ids", shape: [2, 3], integers: [0, 4, 2, 1, 3, 3])
        writer.append("advantages", shape: [2], floats: [1, 0.5])
        return writer.segments().flatMap { $0 }
    }

    static let options = [
        #"{"preset":"cppo-verl"}"#, #"{"preset":"cppo-paper"}"#,
        #"{"estimator":"jsd","temperature":0.7}"#, #"{"preset":"cppo-paper","result_type":"BF16"}"#,
        #"{"preset":"papo-g","estimator":"jsd","result_type":"BF16"}"#,
        #"{"estimator":"k3","return":["mask","grad.original.logits","grad.removing.logits"]}"#,
    ]

    @Test(arguments: options)
    func `a batch in a file is answered as it is in a body`(options: String) throws {
        let body = batch(options: options)
        folder.write(body, to: "batch.safetensors")
        let expected = try service.post("/v1/score", body)
        try #require(expected.status == .ok, "\(expected.text)")
        let found = try service.send("POST", "/v1/score?input_file=batch.safetensors")
        #expect(found.status == .ok)
        #expect(found.bytes == expected.bytes)
        #expect(folder.names == ["batch.safetensors"])
    }

    @Test(arguments: options)
    func `a reply's tensors in a file are those of a reply, and the scalars come as JSON`(options: String)
        throws
    {
        let body = batch(options: options)
        let expected = try service.post("/v1/score", body)
        let reply = try service.post("/v1/score?output_file=result", body).json()
        let written = try SharedDirectory(path: folder.path).file("result").withBytes { span in
            unsafe span.withUnsafeBytes { unsafe Array($0) }
        }
        #expect(written == expected.bytes)
        let result = try JSONValue(parsing: try #require(Safetensors(parsing: written).metadata["result"]))
        #expect(reply["output_file"] == "result" && reply["output_bytes"] == .integer(Int64(written.count)))
        for name in ["loss", "diagnostics", "options"] { #expect(reply[name] == result[name]) }
        #expect(folder.names == ["result"])
    }

    @Test func `a file in memory with holes takes none of it`() throws {
        let folder = TemporaryFolder(in: "/dev/shm")
        let whole = batch(options: "{}")
        folder.write(whole, to: "batch")
        folder.truncate("batch", to: 64 << 20)
        let service = TestService(sharedDirectory: try SharedDirectory(path: folder.path))
        let reply = try service.send("POST", "/v1/score?input_file=batch")
        let problem = try reply.json(.unprocessableContent)
        #expect(problem["type"] == "invalid-shared-file" && reply.text.contains("holes"), "\(reply.text)")
        #expect(folder.allocatedBytes(of: "batch") < 1 << 20)
    }

    @Test func `input and output may both be files`() throws {
        folder.write(batch(options: "{}"), to: "batch")
        let expected = try service.send("POST", "/v1/score?input_file=batch")
        _ = try service.send("POST", "/v1/score?input_file=batch&output_file=result").json()
        let written = try SharedDirectory(path: folder.path).file("result").withBytes { span in
            unsafe span.withUnsafeBytes { unsafe Array($0) }
        }
        #expect(written == expected.bytes)
    }

    @Test(arguments: ["/v1/score", "/v1/entropy", "/v1/mask", "/v1/advantages"])
    func `a result never takes the place of its input`(path: String) throws {
        let bytes = batch(options: "{}")
        folder.write(bytes, to: "batch")
        try service.send("POST", "\(path)?input_file=batch&output_file=batch")
            .expectProblem(.conflictingFields, field: "output_file")
        let kept = try SharedDirectory(path: folder.path).file("batch").withBytes { span in
            unsafe span.withUnsafeBytes { unsafe Array($0) }
        }
        #expect(kept == bytes)
    }

    @Test func `the query's options are in force`() throws {
        folder.write(batch(options: #"{"tau":3}"#), to: "batch")
        let reply = try service.send(
            "POST", "/v1/score?input_file=batch&tau=2", headers: [("Accept", "application/json")])
        #expect(try reply.json()["options"]?["tau"] == 2)
    }

    @Test(arguments: ["input_file", "output_file"])
    func `without a shared directory files can't be named`(parameter: String) throws {
        let service = TestService()
        let body = parameter == "input_file" ? [] : batch(options: "{}")
        let type = ("Content-Type", "application/x-safetensors")
        try service.send("POST", "/v1/score?\(parameter)=batch", body, headers: [type])
            .expectProblem(.invalidSharedFile, field: parameter)
    }

    @Test(arguments: [
        ("absent", Problem.Kind.invalidSharedFile), ("..%2Fbatch", .invalidSharedFile),
        ("", .invalidSharedFile),
        ("%2Fetc%2Fpasswd", .invalidSharedFile), (".hidden", .invalidSharedFile),
        ("link", .invalidSharedFile),
        ("folder", .invalidSharedFile), ("text", .malformedSafetensors), ("empty", .malformedSafetensors),
        ("short", .malformedSafetensors),
    ])
    func `a file that can't be used is named with its reason`(name: String, kind: Problem.Kind) throws {
        folder.write(Array("no safetensors".utf8), to: "text")
        folder.write([], to: "empty")
        folder.write(Array(batch(options: "{}").dropLast()), to: "short")
        unsafe symlink(folder.path + "/text", folder.path + "/link")
        unsafe mkdir(folder.path + "/folder", 0o700)
        let field = kind == .invalidSharedFile ? "input_file" : nil
        try service.send("POST", "/v1/score?input_file=\(name)").expectProblem(kind, field: field)
    }

    @Test func `a body beside a file, a name given twice and an unknown parameter are refused`() throws {
        folder.write(batch(options: "{}"), to: "batch")
        let type = ("Content-Type", "application/x-safetensors")
        try service.send("POST", "/v1/score?input_file=batch", [1], headers: [type])
            .expectProblem(.conflictingFields, field: "input_file")
        try service.send("POST", "/v1/score?input_file=batch&input_file=batch")
            .expectProblem(.malformedRequest, field: "input_file")
        try service.send("POST", "/v1/score?input_file=batch&output=x").expectProblem(
            .unknownOption, field: "output")
    }

    @Test func `a request that fails leaves no file`() throws {
        let wrong = batch(options: #"{"estimator":"full_kl","grad_scale":1e300}"#)
        try service.post("/v1/score?output_file=result", wrong).expectProblem(.nonFiniteValue)
        try service.post("/v1/score?output_file=result", Array(wrong.dropLast()))
            .expectProblem(.malformedSafetensors)
        #expect(folder.names == [])
    }

    @Test func `entropies, masks and advantages take files too`() throws {
        var writer = SafetensorsWriter()
        writer.append("logits", shape: [2, 2], floats: [0, 0, 1, 3])
        folder.write(writer.segments().flatMap { $0 }, to: "logits")
        let reply = try service.send("POST", "/v1/entropy?input_file=logits")
        let entropy = try #require(Safetensors(parsing: reply.bytes).tensors["entropy"]).doubles()
        #expect(abs(entropy[0] - log(2)) < 1e-6)
        writer = SafetensorsWriter()
        writer.append("rewards", shape: [2], floats: [0, 1])
        writer.append("group_ids", shape: [2], integers: [5, 5])
        folder.write(writer.segments().flatMap { $0 }, to: "rewards")
        let advantages = try service.send("POST", "/v1/advantages?input_file=rewards&output_file=advantages")
        #expect(try advantages.json()["output_file"] == "advantages")
    }
}
