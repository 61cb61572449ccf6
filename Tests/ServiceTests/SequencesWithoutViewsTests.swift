import HTTP
import HTTPTypes
import JSON
import Service
import Tensor
import Testing

/// Batches that mix rollouts about pictures with rollouts of text alone.
@Suite struct SequencesWithoutViewsTests {
    /// A rollout with a picture; every token's entropy rises, and the advantage opens the gate.
    private static let seen = """
        "id":"seen","advantage":1,"old":{"log_probs":[-1,-2,-1]},
        "original":{"log_probs":[-1,-1.5,-0.5],"entropy":[1,0.5,2]},
        "preserving":{"log_probs":[-1.25,-1,-0.75]},"removing":{"log_probs":[-3,-2,-1.5],"entropy":[2,2,3]}
        """
    /// Without the view that a dependency has no use for.
    private static let twoViews =
        #""original":{"log_probs":[-1,-1.5,-0.5]},"removing":{"log_probs":[-3,-2,-1.5]},"old":{"log_probs":[-1,-2,-1]}"#
        + #","advantage":1"#
    /// One of text, which leaves out all that it has not.
    private static let text =
        #""id":"text","advantage":2,"old":{"log_probs":[-1,-1]},"original":{"log_probs":[-0.5,-2]},"has_views":false"#

    private static func body(_ rollouts: [String], _ options: String) -> String {
        #"{"options":{\#(options)},"rollouts":[\#(rollouts.map { "{\($0)}" }.joined(separator: ","))]}"#
    }

    private func score(_ rollouts: [String], _ options: String) throws -> JSONValue {
        try TestService().post(text: Self.body(rollouts, options), to: "/v1/score").json()
    }

    private func numbers(_ value: JSONValue?) -> [Double] { (value?.array ?? []).map { $0.double ?? .nan } }

    @Test(arguments: [
        #""preset":"cppo-verl","gradient_of":"loss""#, #""preset":"papo-g","gradient_of":"loss""#,
        #""detector":"divergence","gradient_of":"loss""#, #""detector":"none","gradient_of":"loss""#,
    ]) func `a rollout of text leaves loss and gradients as they are without it`(options: String) throws {
        let options = options + #","policy":"ppo""#
        let alone = try score([Self.seen], options)
        let mixed = try score([Self.seen, Self.text], options)
        for name in ["loss", "loss_numerator", "loss_denominator"] { #expect(mixed[name] == alone[name]) }
        let rows = try #require(mixed["rollouts"]?.array)
        let before = try #require(alone["rollouts"]?.array)
        #expect(rows[0]["grad"] == before[0]["grad"] && rows[0]["mask"] == before[0]["mask"])
        #expect(rows[1]["perception_mask"] == [0, 0] && rows[1]["token_loss"] == [0, 0])
        for view in ["original", "preserving", "removing"] {
            guard let gradient = rows[1]["grad"]?[view]?["log_probs"] else { continue }
            #expect(numbers(gradient) == [0, 0])
        }
        let diagnostics = try #require(mixed["diagnostics"])
        #expect(diagnostics["without_views"] == 1 && alone["diagnostics"]?["without_views"] == nil)
        #expect(
            diagnostics["candidates"] == alone["diagnostics"]?["candidates"] && diagnostics["tokens"] == 5)
        #expect(diagnostics["mean_delta_entropy"] == alone["diagnostics"]?["mean_delta_entropy"])
        #expect(diagnostics["equal_views"] == alone["diagnostics"]?["equal_views"])
    }

    @Test func `means over sequences count it`() throws {
        let options = #""aggregation":"seq-mean-token-mean","policy":"ppo","gradient_of":"loss""#
        let alone = try #require(score([Self.seen], options)["loss"]?.double)
        let mixed = try #require(score([Self.seen, Self.text], options)["loss"]?.double)
        #expect(alone > 0 && mixed == alone / 2)
    }

    @Test func `the policy's terms are its gradients`() throws {
        let policy = #""policy":"ppo","terms":[],"detector":"none","gate":"none""#
        let whole = try score([Self.seen, Self.text], #""preset":"cppo-verl","policy":"ppo""#)
        let alone = try score([Self.seen, Self.text], policy)
        #expect(whole["policy_loss"] == alone["policy_loss"])
        let gradient = numbers(whole["rollouts"]?.array?[1]["grad"]?["original"]?["log_probs"])
        #expect(gradient == numbers(alone["rollouts"]?.array?[1]["grad"]?["original"]?["log_probs"]))
        #expect(gradient.contains { $0 != 0 })
        #expect(numbers(whole["rollouts"]?.array?[1]["grad"]?["removing"]?["log_probs"]) == [0, 0])
    }

    @Test func `entropy terms are of the rows that have the view`() throws {
        let mixed = try score([Self.seen, Self.text], #""preset":"papo-g","policy":"ppo""#)
        let alone = try score([Self.seen], #""preset":"papo-g","policy":"ppo""#)
        #expect(mixed["entropy_loss"]?["removing"] == alone["entropy_loss"]?["removing"])
        #expect(mixed["entropy_loss_numerator"]?["original"] == 5.5)
        #expect(alone["entropy_loss_numerator"]?["original"] == 3)
    }

    @Test func `vppo neither scales its advantage nor leaves out its tokens`() throws {
        let options = #""preset":"vppo","policy":"ppo","entropy_coefficients":{}"#
        let reply = try score([Self.seen, Self.text], options)
        #expect(reply["rollouts"]?.array?[1]["advantage_scale"]?.double == 1)
        let gradient = numbers(reply["rollouts"]?.array?[1]["grad"]?["original"]?["log_probs"])
        #expect(gradient.contains { $0 != 0 })
        let mask = try TestService().post(
            text: Self.body([Self.twoViews, Self.text], #""preset":"vppo""#), to: "/v1/mask"
        ).json()
        #expect(mask["rollouts"]?.array?[1]["perception_mask"] == [0, 0])
    }

    @Test func `top lists and logits may be left out, too`() throws {
        let lists = #"[[-0.1,-3],[-0.2,-2]]"#
        let seen =
            #""original":{"log_probs":[-0.1,-2],"top_log_probs":\#(lists)},"preserving":{"log_probs":[-1,-1]},"#
            + #""removing":{"log_probs":[-1,-2],"top_log_probs":[[-1,-2],[-1.5,-1.5]]},"advantage":1"#
        let text = #""original":{"log_probs":[-1]},"advantage":1,"has_views":false"#
        for rollouts in [[seen, text], [text, seen]] {
            let reply = try score(rollouts, #""vocabulary_size":100"#)
            #expect(reply["loss"] == (try score([seen], #""vocabulary_size":100"#))["loss"])
        }
        let logits =
            #""token_ids":[0,1],"original":{"logits":[[1,2],[0,1]]},"preserving":{"logits":[[1,1],[0,1]]},"#
            + #""removing":{"logits":[[0,0],[0,0.5]]},"advantage":1"#
        let plain = #""token_ids":[1],"original":{"logits":[[3,2]]},"advantage":1,"has_views":false"#
        for estimator in ["k3", "full_kl"] {
            let options = #""estimator":"\#(estimator)""#
            #expect(try score([plain, logits], options)["loss"] == (try score([logits], options))["loss"])
        }
    }

    @Test func `a batch of text alone needs no views at all`() throws {
        let reply = try score([Self.text], #""policy":"ppo""#)
        #expect(reply["loss"] == 0 && reply["loss_numerator"] == 0)
        #expect(reply["policy_loss"]?.double.map { $0 != 0 } == true)
        let body = #"{"has_views":[0,false],"original.log_probs":[[-1],[-2]],"advantages":[1,1]}"#
        #expect(try TestService().post(text: body, to: "/v1/score").json()["loss"] == 0)
    }

    @Test func `what is wrong is named`() throws {
        func post(_ rollouts: [String]) throws -> Response {
            try TestService().post(text: Self.body(rollouts, ""), to: "/v1/mask?gate=none")
        }
        let seen = #""original":{"entropy":[1]},"removing":{"entropy":[2]}"#
        try post([seen, #""response_mask":[1]"#]).expectProblem(
            .missingField, field: "rollouts[1].original.entropy")
        try post([seen, #""response_mask":[1],"has_views":true"#]).expectProblem(
            .missingField, field: "rollouts[1].removing.entropy")
        try post([#"\#(seen),"has_views":1"#]).expectProblem(.invalidType, field: "rollouts[0].has_views")
        let columns = #""original.entropy":[[1]],"removing.entropy":[[2]]"#
        func columnar(_ given: String) throws -> Response {
            try TestService().post(text: "{\(columns),\(given)}", to: "/v1/mask?gate=none")
        }
        try columnar(#""has_views":[2]"#).expectProblem(.invalidValue, field: "has_views", index: [0])
        try columnar(#""has_views":[1,1]"#).expectProblem(.invalidShape, field: "has_views")
        #expect(try columnar(#""has_views":[0]"#).json()["perception_mask"] == [[0]])
    }

    @Test(
        arguments: ["k3", "full_kl&return=token_loss,mask", "k2&return=grad.removing.logits,grad.rows"],
        [true, false])
    func `rows of logits without views may hold anything, wherever has_views stands`(
        estimator: String, interleaved: Bool
    ) throws {
        let views = ["original", "preserving", "removing"]
        func file(_ filler: Double, first: Bool) -> [UInt8] {
            var file = OrderedFile()
            file.append("token_ids", .int64, [2, 2], [0, 1, 2, 0])
            if first { file.append("has_views", .uint8, [2], [0, 1]) }
            let logits = views.enumerated().map { place, _ in
                exactLogits(16, seed: UInt64(place + 1)).enumerated().map { index, value in
                    place > 0 && index < 8 ? filler : max(value, -9)
                }
            }
            if interleaved {
                let joined = (0..<4).flatMap { row in logits.flatMap { $0[row * 4..<row * 4 + 4] } }
                file.append("logits", .float32, [2, 2, 3, 4], joined)
            } else {
                for (view, values) in zip(views, logits) {
                    file.append("\(view).logits", .float32, [2, 2, 4], values)
                }
            }
            if !first { file.append("has_views", .uint8, [2], [0, 1]) }
            file.append("advantages", .float32, [2], [1, 1])
            return file.bytes()
        }
        let target = "/v1/score?estimator=\(estimator)"
        let plain = try TestService().stream(target, file(0, first: true))
        #expect(plain.status == .ok, "\(plain.text.prefix(300))")
        for first in [true, false] {
            for chunks in [[65_536], [13]] {
                let odd = try TestService().stream(target, file(.nan, first: first), chunks: chunks)
                #expect(odd.status == .ok, "\(odd.text.prefix(300))")
                #expect(odd.bytes == plain.bytes)
            }
        }
    }
}
