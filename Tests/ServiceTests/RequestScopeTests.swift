import HTTPTypes
import JSON
import Service
import Testing

@testable import HTTP

@Suite struct RequestScopeTests {
    struct Request: Sendable, CustomTestStringConvertible {
        let name: String
        let target: String
        var type = "application/json"
        let body: @Sendable () throws -> [UInt8]

        var testDescription: String { name }
        var method: String { type.isEmpty ? "GET" : "POST" }
    }

    private static let batch = TokenBatch(lengths: [300, 200], seed: 1, vocabulary: 64)
    private static let columns = TokenBatch(lengths: [300, 200], seed: 1)
    private static let view = #""views":[{"name":"v","recipe":"cppo-preserving","seed":1}]"#

    /// One of each kind of work.
    static let requests: [Request] = [
        Request(name: "score, JSON", target: "/v1/score") { columns.rollouts(.object([])) },
        Request(name: "score, full_kl", target: "/v1/score?estimator=full_kl", type: safetensors) {
            batch.safetensors(.object([]), packed: true)
        },
        Request(name: "entropy, JSON", target: "/v1/entropy") {
            let body: JSONValue = ["logits": .array(Array(repeating: .array([1, 2, 3]), count: 500))]
            return body.bytes
        },
        Request(name: "score, safetensors", target: "/v1/score", type: safetensors) {
            columns.safetensors(.object([]), packed: false)
        },
        Request(name: "advantages", target: "/v1/advantages") {
            let ones = JSONValue.array(Array(repeating: 1, count: 64))
            let body: JSONValue = ["rewards": ones, "group_ids": ones]
            return body.bytes
        },
        Request(name: "perturb, raw", target: "/v1/perturb?recipe=cppo-preserving&seed=1", type: "image/png")
        {
            try pngFile()
        },
        Request(name: "perturb, JSON", target: "/v1/perturb") {
            Array(#"{"images":[{"data":"\#(base64(try pngFile()))"}],\#(view)}"#.utf8)
        },
        Request(name: "preview", target: "/v1/recipes/cppo-preserving/preview?draws=2", type: "") { [] },
    ]

    private static let safetensors = "application/x-safetensors"
    private let service = TestService()
    private let budget = MemoryBudget(total: 4 << 30, retryAfter: .seconds(1))

    private func answer(_ request: Request, _ scope: RequestScope) throws -> Response {
        try service.send(
            request.method, request.target, request.body(),
            headers: request.type.isEmpty ? [] : [("Content-Type", request.type)], scope: scope)
    }

    @Test(arguments: requests) func `every work claims memory, and gives it back`(request: Request) throws {
        let others = MemoryShare(of: budget)
        #expect(others.extend(to: budget.total - 1000) == nil)
        do {
            let refused = try answer(request, RequestScope(MemoryShare(of: budget)) { true })
            try refused.expectProblem(.busy, field: "body")
            #expect(refused.headers[.retryAfter] == "1")
        }
        #expect(budget.claimed == budget.total - 1000)
        others.release()
        do {
            let share = MemoryShare(of: budget)
            #expect(try answer(request, RequestScope(share) { true }).status == .ok)
            #expect(share.bytes > 1000)
        }
        #expect(budget.claimed == 0)
    }

    @Test func `gradients as text are claimed with the room that their digits may take`() throws {
        let share = MemoryShare(of: budget)
        let reply = try service.send(
            "POST", "/v1/score?preset=cppo-paper&detector=none&gate=none",
            Self.batch.safetensors(.object([]), packed: true),
            headers: [("Content-Type", Self.safetensors), ("Accept", "application/json")],
            scope: RequestScope(share) { true })
        #expect(reply.status == .ok)
        // Four bytes and sixteen digits for each number of three views, beside what 500 tokens of two sequences take.
        let tokens = Self.batch.responseMask.joined().reduce(0, +)
        #expect(share.bytes == 3 * tokens * 64 * (4 + 16) + 500 * 320 + 2 * 4096)
    }

    @Test(
        arguments: requests.filter { !["score, JSON", "score, safetensors", "advantages"].contains($0.name) })
    func `work that may be long ends when nobody waits`(request: Request) throws {
        let scope = RequestScope(MemoryShare(of: budget)) { false }
        try answer(request, scope).expectProblem(.deadlineExceeded)
        #expect(try answer(request, .unbounded).status == .ok)
    }
}
