import Glibc
import HTTP
import HTTPTypes
import JSON
import Service
import Testing

/// Entropies from the likeliest tokens, in all operations that compare them.
@Suite struct EntropyBoundTests {
    /// Two tokens over a vocabulary of four, of which the three best are known.
    private static func distribution(_ probabilities: [Double]) -> (best: [Double], entropy: Double) {
        (
            probabilities.sorted(by: >).prefix(3).map { log($0) },
            probabilities.reduce(0) { $0 - $1 * log($1) }
        )
    }

    private let sharp = distribution([0.9, 0.06, 0.03, 0.01])
    private let flat = distribution([0.4, 0.3, 0.2, 0.1])

    /// Of the one sequence.
    private func numbers(_ column: JSONValue?) -> [Double] {
        column?.array?.first?.array?.compactMap(\.double) ?? []
    }

    private func body(_ options: String) -> String {
        let best = { (rows: [[Double]]) in "[\(rows.map { "\($0)" }.joined(separator: ","))]" }
        return """
            {"options":\(options),"original.top_log_probs":[\(best([sharp.best, flat.best]))],
            "removing.top_log_probs":[\(best([flat.best, sharp.best]))]}
            """
    }

    @Test func `the one token that is left makes them exact`() throws {
        let reply = try TestService().post(
            text: body(#"{"gate":"none","vocabulary_size":4}"#), to: "/v1/mask"
        )
        .json()
        #expect(reply["perception_mask"] == [[1, 0]] && reply["diagnostics"]?["undecided"] == 0)
        for (name, expected) in [("lower", sharp.entropy), ("upper", sharp.entropy)] {
            let found = try #require(reply["original.entropy_\(name)"]?.array?.first?.array?.first?.double)
            #expect(abs(found - expected) < 1e-6, "\(name)")
        }
    }

    @Test func `a realised token's rounding above 0 is no fault of the list beside it`() throws {
        let reply = try TestService().post(
            text: """
                {"options":{"preset":"papo-g","detector":"entropy","vocabulary_size":9},"original.log_probs":[[0.0005]],
                "original.top_log_probs":[[[-0.00005,-12]]],"removing.log_probs":[[-1]],"removing.entropy":[[1]]}
                """, to: "/v1/score"
        ).json()
        #expect(reply["diagnostics"]?["positive_log_probs"] == 1)
    }

    @Test func `a larger vocabulary widens them and says what stays open`() throws {
        let reply = try TestService().post(
            text: body(#"{"gate":"none","vocabulary_size":100000,"top_k_ratio":1}"#), to: "/v1/mask"
        ).json()
        let lower = numbers(reply["removing.entropy_lower"])
        let upper = numbers(reply["removing.entropy_upper"])
        try #require(lower.count == 2 && upper.count == 2)
        #expect(
            zip(lower, upper).allSatisfy { $0 < $1 } && lower[0] <= flat.entropy && flat.entropy <= upper[0])
        // Token 1 may rise: its sharp view's upper bound is above its flat one's lower bound or not.
        #expect(try #require(reply["diagnostics"]?["undecided"]?.integer) <= 2)
    }

    @Test func `entropy answers with both bounds and the chosen number`() throws {
        let service = TestService()
        let text = #"{"top_log_probs":[[\#(sharp.best.map { "\($0)" }.joined(separator: ","))]]}"#
        for choice in ["middle", "lower", "upper"] {
            let reply = try service.post(
                text: text, to: "/v1/entropy?vocabulary_size=1000&entropy_from=\(choice)"
            ).json()
            let (low, high) = (
                try #require(reply["entropy_lower"]?.array?.first?.double),
                try #require(reply["entropy_upper"]?.array?.first?.double)
            )
            let expected = choice == "middle" ? (low + high) / 2 : choice == "lower" ? low : high
            #expect(abs(try #require(reply["entropy"]?.array?.first?.double) - expected) < 1e-6)
        }
    }

    static let wrong: [(options: String, kind: Problem.Kind, field: String)] = [
        (#"{"gate":"none"}"#, .missingField, "vocabulary_size"),
        (#"{"gate":"none","vocabulary_size":3}"#, .invalidValue, "original.top_log_probs"),
    ]

    @Test(arguments: wrong) func `what bounds nothing is refused`(
        options: String, kind: Problem.Kind, field: String
    ) throws {
        try TestService().post(text: body(options), to: "/v1/mask").expectProblem(kind, field: field)
    }

    @Test func `raw logits, another temperature and vain options are refused`() throws {
        let service = TestService()
        let logits = #"{"top_log_probs":[[7,5,1]]}"#
        try service.post(text: logits, to: "/v1/entropy?vocabulary_size=9")
            .expectProblem(.invalidValue, field: "top_log_probs", index: [0])
        try service.post(
            text: #"{"top_log_probs":[[-0.1,-3]]}"#, to: "/v1/entropy?vocabulary_size=9&temperature=2"
        )
        .expectProblem(.conflictingFields, field: "temperature")
        try service.post(text: #"{"logits":[[1,2]]}"#, to: "/v1/entropy?vocabulary_size=9")
            .expectProblem(.conflictingFields, field: "vocabulary_size")
    }

    @Test func `lists of a rollout may differ in length`() throws {
        let text = """
            {"options":{"gate":"none","vocabulary_size":4},"rollouts":[{
            "original":{"top_log_probs":[\(sharp.best),[-0.6931471805599453]]},
            "removing":{"top_log_probs":[\(flat.best),\(sharp.best)]}}]}
            """
        let reply = try TestService().post(text: text, to: "/v1/mask").json()
        let rollout = try #require(reply["rollouts"]?.array?.first)
        #expect(rollout["perception_mask"]?.array?.first == 1)
        #expect(rollout["original"]?["entropy_upper"]?.array?.count == 2)
    }
}
