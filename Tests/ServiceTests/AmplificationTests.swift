import HTTP
import HTTPTypes
import JSON
@testable import Service
import Testing

/// A little that asks for much.
@Suite struct AmplificationTests {
    /// Each holds `§` where a client may write whatever it likes.
    static let texts = [
        ("/v1/score", #"{"§":1}"#), ("/v1/score", #"{"§":1,"§":2}"#), ("/v1/score", #"{"options":{"§":1}}"#),
        ("/v1/score", #"{"options":{"preset":"§"}}"#), ("/v1/score", #"{"rollouts":[{"§":[{}]}]}"#),
        ("/v1/score", #"{"rollouts":[{"original":{"§":1}}]}"#),
        ("/v1/advantages", #"{"rewards":[1],"group_ids":["§"]}"#),
        ("/v1/perturb", #"{"images":[{"id":"§","data":""}],"views":[]}"#),
        ("/v1/perturb", #"{"images":[{"§":"","data":""}],"views":[]}"#),
        ("/v1/perturb", #"{"images":[],"views":[{"name":"§","steps":[]}]}"#),
        ("/v1/perturb", #"{"images":[],"views":[{"name":"v","recipe":"§"}]}"#),
        ("/v1/perturb", #"{"images":[],"views":[{"name":"v","steps":[],"§":1}]}"#),
        ("/v1/perturb", #"{"images":[],"views":[{"name":"v","steps":[{"step":"§"}]}]}"#),
        ("/v1/perturb", #"{"images":[],"views":[{"name":"v","steps":[{"step":"rotation","§":1}]}]}"#),
        (
            "/v1/perturb",
            #"{"images":[],"views":[{"name":"v","steps":[{"step":"rotation","degrees":"§"}]}]}"#
        ),
    ]

    @Test(arguments: texts, ["x", "\u{301}"]) func `a refusal repeats only the start of a long text`(
        request: (path: String, text: String), filling: String
    ) throws {
        // One character of many marks is long, too.
        let long = "a" + String(repeating: filling, count: 50_000)
        let body = request.text.replacing("§", with: long)
        let response = try TestService().post(text: body, to: request.path)
        #expect([400, 422].contains(response.status.code))
        #expect(response.bytes.count < 12_000, "\(response.bytes.count) bytes")
    }

    @Test func `reasons beyond those kept are not made`() throws {
        var faults = Faults()
        var made = 0
        func reason() -> Problem.Reason {
            made += 1
            return Problem.Reason("wrong")
        }
        for _ in 0..<5000 { faults.add(.unknownField, reason()) }
        #expect(made < 1000)
        let problem = #expect(throws: Problem.self) { try faults.check() }
        #expect(problem?.detail.hasSuffix("4999 more") == true)
    }

    /// 2 × 2 pixels.
    private static let picture =
        "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGP4z8DA8J+BkYHh////DAAe9gT9Ce00PgAAAABJRU5E"
        + "rkJggg=="

    private func perturb(_ steps: String, variants: Int) throws -> Response {
        let body = """
            {"images":[{"data":"\(Self.picture)"}],"variants":\(variants),
            "views":[{"name":"v","steps":[\(steps)]}]}
            """
        return try TestService(memoryBudgetBytes: 2 << 20).post(text: body, to: "/v1/perturb")
    }

    @Test func `pictures that steps make large count as large`() throws {
        // 2 × 2 pixels become 6 × 6, then more than 100 × 100.
        let turn = #"{"step":"rotation","degrees":45,"expand":true}"#
        let turns = Array(repeating: turn, count: 12).joined(separator: ",")
        #expect(try perturb(turn, variants: 4).status == .ok)
        try perturb(turns, variants: 256).expectProblem(.memoryBudgetExceeded, field: "images")
    }

    @Test(arguments: ["", #"{"choice":["#])
    func `lists of a recipe count for each draw`(choice: String) throws {
        let patches = "[" + Array(repeating: "[0,0,1,1]", count: 1024).joined(separator: ",") + "]"
        let list = choice.isEmpty ? patches : choice + patches + "]}"
        let recipe = #"{"name":"x","steps":[{"step":"occlusion","noise_seed":1,"patches":\#(list)}]}"#
        let body = """
            {"images":[{"data":"\(Self.picture)"}],"variants":64,"views":[{"name":"v","recipe":\(recipe)}]}
            """
        // 64 draws of 1,024 patches take more than four megabytes, and so many without a list do not.
        try TestService(memoryBudgetBytes: 4 << 20).post(text: body, to: "/v1/perturb")
            .expectProblem(.memoryBudgetExceeded, field: "images")
        let plain = body.replacing(recipe, with: #""cppo-preserving""#)
        #expect(
            try TestService(memoryBudgetBytes: 4 << 20).post(text: plain, to: "/v1/perturb").status == .ok)
    }

    @Test func `steps that every view repeats count each time`() throws {
        let patches = Array(repeating: "[0,0,1,1]", count: 256).joined(separator: ",")
        let occlusion = #"{"step":"occlusion","noise_seed":1,"patches":[\#(patches)]}"#
        #expect(try perturb(occlusion, variants: 4).status == .ok)
        try perturb(occlusion, variants: 256).expectProblem(.memoryBudgetExceeded, field: "images")
    }
}
