import HTTP
import HTTPTypes
import JSON
import Tensor
import Testing

/// What autograd in float64 says of the same inputs, for every option, layout and element type.
@Suite struct GoldenTests {
    /// F32 results of Double arithmetic: half a unit in the last place, and a little for transcendental functions.
    static let relative = 1.2e-7
    /// Full-vocabulary gradients sum differences over V; entropies from F32, F16 and BF16 logits run in Float lanes.
    static let fromLogits = 1e-6

    @Test func `there are golden files of every kind`() {
        #expect(GoldenFile.all(in: "score").count >= 130)
        #expect(GoldenFile.all(in: "entropy").count >= 40)
        #expect(GoldenFile.all(in: "advantages").count >= 30)
    }

    @Test(arguments: GoldenFile.all(in: "score"))
    func `score agrees with autograd`(golden: GoldenFile) throws {
        let response = try TestService().post("/v1/score", golden.request)
        try #require(response.status == .ok, "\(response.text)")
        let reply = try Safetensors(parsing: response.bytes)
        let hasLogits = golden.file.names.contains { $0.hasSuffix(".logits") && !$0.hasPrefix("expect.") }
        for (name, expected) in golden.expected {
            let found = try #require(reply.tensors[name], "no \(name)")
            #expect(found.shape == expected.shape, "\(name)")
            let isMask = expected.elementType == .uint8 || expected.elementType == .int64
            compare(
                found.doubles(), expected.doubles(), name,
                relative: isMask ? 0 : hasLogits ? 1e-5 : GoldenTests.relative,
                absolute: isMask ? 0 : hasLogits ? GoldenTests.fromLogits : 1e-37)
        }
        let result = try JSONValue(parsing: try #require(reply.metadata["result"]))
        let scalars = golden.scalars
        for name in ["loss", "weighted_loss", "loss_numerator", "loss_denominator"] {
            let expected = try #require(scalars[name]?.double)
            let found = try #require(result[name]?.double)
            let tolerance = hasLogits ? 1e-5 : 1e-9
            #expect(abs(found - expected) <= tolerance * max(abs(expected), hasLogits ? 1e-2 : 0), "\(name)")
        }
        for name in ["tokens", "candidates", "selected", "gated"] {
            #expect(
                result["diagnostics"]?[name]?.integer == scalars["diagnostics"]?[name]?.integer, "\(name)")
        }
    }

    @Test(arguments: GoldenFile.all(in: "entropy").filter { $0.file.metadata["made_logits"] == nil })
    func `entropy agrees with float64`(golden: GoldenFile) throws {
        let response = try TestService().post("/v1/entropy", golden.request)
        try #require(response.status == .ok, "\(response.text)")
        let reply = try Safetensors(parsing: response.bytes)
        for (name, expected) in golden.expected {
            let found = try #require(reply.tensors[name], "no \(name)")
            #expect(found.shape == expected.shape)
            // Log-sum-exp and log-probabilities of logits near 10⁴ are as coarse as F32 there.
            compare(found.doubles(), expected.doubles(), name, relative: 2e-7, absolute: 2e-6)
        }
    }

    @Test(arguments: GoldenFile.all(in: "advantages"))
    func `advantages agree with float64`(golden: GoldenFile) throws {
        let response = try TestService().post("/v1/advantages", golden.request)
        try #require(response.status == .ok, "\(response.text)")
        let reply = try Safetensors(parsing: response.bytes)
        for (name, expected) in golden.expected {
            let found = try #require(reply.tensors[name], "no \(name)")
            compare(found.doubles(), expected.doubles(), name, relative: 2e-7, absolute: 1e-12)
        }
    }

    private func compare(
        _ found: [Double], _ expected: [Double], _ name: String, relative: Double, absolute: Double
    ) {
        #expect(found.count == expected.count)
        for (index, pair) in zip(found, expected).enumerated() {
            #expect(abs(pair.0 - pair.1) <= absolute + relative * abs(pair.1), "\(name)[\(index)]")
        }
    }
}
