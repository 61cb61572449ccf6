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
        #expect(GoldenFile.all(in: "score").count >= 320)
        #expect(GoldenFile.all(in: "entropy").count >= 40)
        #expect(GoldenFile.all(in: "advantages").count >= 45)
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
        let tensors = Set(reply.tensors.keys.filter { reply.tensors[$0]?.shape != [] })
        #expect(tensors == Set(golden.expected.map(\.name)), "these tensors and no others")
        let result = try JSONValue(parsing: try #require(reply.metadata["result"]))
        let scalars = golden.scalars
        let tolerance = hasLogits ? 1e-5 : 1e-9
        for name in ["loss", "weighted_loss", "loss_numerator", "loss_denominator", "objective"] {
            let expected = try #require(scalars[name]?.double)
            let found = try #require(result[name]?.double)
            #expect(
                abs(found - expected) <= tolerance * max(abs(expected), hasLogits ? 1e-2 : 1e-6), "\(name)")
            let tensor = try #require(reply.tensors[name])
            #expect(tensor.elementType == .float64 && tensor.doubles() == [found], "\(name)")
        }
        for name in ["entropy_loss", "entropy_loss_numerator", "entropy_loss_denominator"] {
            #expect((scalars[name] == nil) == (result[name] == nil), "\(name)")
            for member in scalars[name]?.members ?? [] {
                let expected = try #require(member.value.double)
                let found = try #require(result[name]?[member.name]?.double)
                #expect(abs(found - expected) <= 10 * tolerance * max(abs(expected), 1e-2), "\(name)")
            }
        }
        try compareDiagnostics(result["diagnostics"], scalars["diagnostics"], tolerance: tolerance)
    }

    private func compareDiagnostics(
        _ found: JSONValue?, _ expected: JSONValue?, tolerance: Double
    ) throws {
        for member in try #require(expected?.members) where member.name != "sequences" {
            let value = try #require(found?[member.name], "no \(member.name)")
            switch member.value {
            case .integer(let count): #expect((value.integer ?? 0) == count, "\(member.name)")
            case .object(let members):
                try compareDiagnostics(value, .object(members), tolerance: tolerance)
            case .null: #expect(value == .null, "\(member.name)")
            default:
                // Means are null where there is nothing to average.
                let number = try #require(member.value.double)
                #expect(
                    abs((value.double ?? 0) - number) <= 1e3 * tolerance * max(abs(number), 1e-2),
                    "\(member.name)")
            }
        }
    }

    @Test(arguments: GoldenFile.all(in: "policy"))
    func `the policy's parts agree with verl's and TRL's own functions`(golden: GoldenFile) throws {
        let response = try TestService().post("/v1/score", golden.request)
        try #require(response.status == .ok, "\(response.text)")
        let reply = try Safetensors(parsing: response.bytes)
        let result = try JSONValue(parsing: try #require(reply.metadata["result"]))
        let scalars = try #require(golden.scalars.members)
        #expect(scalars.contains { $0.name == "policy_loss" || $0.name == "kl" })
        for member in scalars {
            let expected = try #require(member.value.double)
            let found = try #require(result[member.name]?.double, "no \(member.name)")
            // The libraries' means lack the 1e-8 in the divisor.
            #expect(abs(found - expected) <= 1e-7 * max(abs(expected), 0.5), "\(member.name)")
        }
        for (name, expected) in golden.expected {
            let found = try #require(reply.tensors[name], "no \(name)")
            let largest = expected.doubles().map(\.magnitude).max() ?? 0
            compare(found.doubles(), expected.doubles(), name, relative: 1e-7, absolute: 1e-7 * largest)
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
        // Where terms cancel, what is left is the rounding of what was added up.
        let absolute = max(absolute, 1e-14 * (expected.map(\.magnitude).max() ?? 0))
        for (index, pair) in zip(found, expected).enumerated() {
            #expect(abs(pair.0 - pair.1) <= absolute + relative * abs(pair.1), "\(name)[\(index)]")
        }
    }
}
