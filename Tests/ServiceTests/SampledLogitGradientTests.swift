import Glibc
import HTTP
import JSON
import Service
import Tensor
import Testing

/// Gradients of logits with estimators that look at the realised token alone.
@Suite struct SampledLogitGradientTests {
    private static let logits: [(String, [[Double]])] = [
        ("original", [[0.5, -1, 2], [0, 3, -2]]), ("preserving", [[0.4, -0.5, 1.5], [0.2, 2, -1]]),
        ("removing", [[0, 0, 0.1], [1, 0.5, 0]]),
    ]
    private static let ids = [2, 0]

    private func reply(_ options: String, without dropped: String? = nil) throws -> Response {
        let views = SampledLogitGradientTests.logits.filter { "\($0.0).logits" != dropped }
            .map { #""\#($0.0).logits":[\#($0.1)]"# }
        let ids = dropped == "token_ids" ? [] : [#""token_ids":[\#(SampledLogitGradientTests.ids)]"#]
        let given = [#""options":{"detector":"none","gate":"none",\#(options)}"#] + views + ids
        return try TestService().post(text: "{\(given.joined(separator: ","))}", to: "/v1/score")
    }

    @Test(arguments: ["k1", "abs", "k2", "k3"], [1.0, 0.6])
    func `they follow from those of the log-probabilities by the chain rule`(
        estimator: String, temperature: Double
    ) throws {
        let options = #""estimator":"\#(estimator)","temperature":\#(temperature)"#
        let words = ["original", "preserving", "removing"].map { #""grad.\#($0).logits""# }
        let json = try reply(#"\#(options),"return":["grad",\#(words.joined(separator: ","))]"#).json()
        #expect(json["grad.rows"] == [0, 1])
        for (view, logits) in SampledLogitGradientTests.logits {
            let slopes = try #require(json["grad.\(view).log_probs"]?.array?.first?.array).compactMap(
                \.double)
            let found = try #require(json["grad.\(view).logits"]?.array).map {
                $0.array?.compactMap(\.double) ?? []
            }
            for (token, row) in logits.enumerated() {
                let weights = row.map { exp($0 / temperature) }
                let sum = weights.reduce(0, +)
                for index in row.indices {
                    let isRealised = index == SampledLogitGradientTests.ids[token] ? 1.0 : 0
                    let expected = slopes[token] * (isRealised - weights[index] / sum) / temperature
                    #expect(abs(found[token][index] - expected) <= 2e-7 * abs(slopes[token]) / temperature)
                }
            }
        }
    }

    @Test func `they are returned to those only who name them`() throws {
        for options in [#""tau":1"#, #""tau":1,"return":["grad"]"#] {
            let json = try reply(options).json()
            #expect(json["grad.original.log_probs"] != nil)
            #expect(json["grad.original.logits"] == nil && json["grad.rows"] == nil)
        }
        let json = try reply(#""return":["grad.removing.logits"]"#).json()
        #expect(json["grad.removing.logits"] != nil && json["grad.rows"] != nil)
        #expect(json["grad.original.logits"] == nil && json["grad.removing.log_probs"] == nil)
    }

    @Test func `a rollout has both gradients of a view in one member`() throws {
        let terms = #""terms":[{"anchor":"original","reference":"removing"}]"#
        let words = #""all","weights","grad.original.logits","grad.removing.logits""#
        let views = #""original":{"logits":[[0.5,-1]]},"removing":{"logits":[[0.4,2]]}"#
        let options = #"{"detector":"none","gate":"none",\#(terms),"return":[\#(words)]}"#
        let response = try TestService().post(
            text: #"{"options":\#(options),"rollouts":[{"token_ids":[1],\#(views)}]}"#, to: "/v1/score")
        // What is read back refuses a member that comes twice.
        let json = try response.json()
        let rollout = try #require(json["rollouts"]?.array?.first)
        #expect(rollout["weights"]?["original"]?.array?.count == 1)
        #expect(rollout["grad"]?["rows"] == [0])
        for view in ["original", "removing"] {
            #expect(rollout["grad"]?[view]?["log_probs"]?.array?.count == 1)
            #expect(rollout["grad"]?[view]?["logits"]?.array?.first?.array?.count == 2)
        }
    }

    @Test func `what is in a gradient of logits is in no weights as well`() throws {
        let options = #""estimator":"jsd","entropy_coefficients":{"original":0.5}"#
        #expect(try reply(#"\#(options),"return":["weights"]"#).json()["weights.original"] == nil)
        try reply(#"\#(options),"return":["weights.original"]"#).expectProblem(
            .conflictingFields, field: "return")
        // Log-probabilities that are given have a gradient of their own.
        let given = #""original.log_probs":[[-1,-2]],"options":{"preset":"papo-recompute",\#(options)"#
        let views = #""original.logits":[[[1,2],[2,1]]],"removing.logits":[[[1,2],[2,3]]]"#
        let apart = try TestService().post(
            text: #"{\#(given),"return":["weights"]},\#(views)}"#, to: "/v1/score"
        ).json()
        #expect(apart["weights.original"] == [[0.25, 0.25]])
    }

    @Test func `a stopped view's are zero`() throws {
        let json = try reply(#""stop_gradient":["removing"],"return":["grad.removing.logits"]"#).json()
        #expect(json["grad.removing.logits"] == [[0, 0, 0], [0, 0, 0]])
    }

    @Test func `logits and token ids must be there`() throws {
        let wanted = #""return":["grad.removing.logits"]"#
        try reply(wanted, without: "removing.logits").expectProblem(.missingField, field: "removing.logits")
        try reply(wanted, without: "token_ids").expectProblem(.missingField, field: "token_ids")
    }
}
