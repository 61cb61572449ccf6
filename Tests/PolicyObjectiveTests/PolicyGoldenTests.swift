import ContrastiveLoss
import JSON
import Batches
import PolicyObjective
import TestMaterial
import Testing

@Suite("Golden files made by verl's and TRL's own functions")
struct PolicyGoldenTests {
    static let names = GoldenFolder.names(in: "policy", ending: ".safetensors")

    @Test func `there are files of both libraries`() {
        #expect(PolicyGoldenTests.names.count >= 35)
        #expect(PolicyGoldenTests.names.filter { $0.hasPrefix("trl-") }.count >= 6)
    }

    /// Both libraries divide by the count of tokens, this service by 1e-8 more.
    @Test(arguments: names)
    func `values and gradients agree`(_ name: String) throws {
        let golden = try GoldenCase(name)
        let report = try golden.loss.score(golden.batch)
        func check(_ name: String, _ found: Double?, within slack: Double) throws {
            let expected = try #require(golden.expect[name]?.double, "\(name)")
            let found = try #require(found, "\(name)")
            // Sequences that nearly cancel leave less than their own rounding is relative to.
            let scale = max(abs(expected), 0.5)
            #expect(abs(found - expected) <= slack * scale, "\(name): \(found), expected \(expected)")
        }
        for (name, part) in [("policy_loss", report.policy), ("kl", report.kl)] {
            guard let part else {
                #expect(golden.expect[name] == nil)
                continue
            }
            // TRL's kl is what its loss rises by, and so has the policy loss's rounding.
            try check(name, part.aggregated.loss, within: 2e-8)
            try check("\(name)_numerator", part.aggregated.numerator, within: 1e-13)
            try check("\(name)_denominator", part.aggregated.denominator, within: 1e-15)
        }
        if report.policy != nil { try check("clip_fraction", report.clipFraction, within: 1e-15) }
        try check("objective", report.loss, within: 2e-8)

        var gradient = [Double](repeating: 0, count: golden.batch.sequences.tokens)
        report.addGradient(to: &gradient)
        let largest = golden.expectedGradient.map(\.magnitude).max() ?? 0
        #expect(largest > 0)
        for (token, (found, expected)) in zip(gradient, golden.expectedGradient).enumerated() {
            #expect(abs(found - expected) <= 2e-8 * abs(expected) + 1e-15 * largest, "token \(token)")
        }
    }
}
