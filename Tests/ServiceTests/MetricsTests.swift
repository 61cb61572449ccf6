import HTTP
import HTTPTypes
import JSON
import Service
import Testing

@Suite struct MetricsTests {
    /// Series by name and labels.
    private func series(_ text: String) throws -> [String: Double] {
        var values: [String: Double] = [:]
        var types: [String: Substring] = [:]
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            if let match = line.wholeMatch(of: /# TYPE ([a-z_]+) (counter|gauge|histogram)/) {
                #expect(
                    types.updateValue(match.2, forKey: String(match.1)) == nil, "\(match.1) is declared twice"
                )
            } else if line.wholeMatch(of: /# HELP [a-z_]+ [^\\]+/) == nil {
                let match = try #require(
                    line.wholeMatch(of: /([a-z_]+)(\{[a-z_]+="[^"\\\n]*"(?:,[a-z_]+="[^"\\\n]*")*\})? (\S+)/),
                    "\(line)")
                let family = String(match.1).replacing(/_(bucket|sum|count)$/, with: "")
                #expect(types[family] == "histogram" || types[String(match.1)] != nil, "\(line)")
                let key = String(match.1) + (match.2.map(String.init) ?? "")
                #expect(
                    values.updateValue(try #require(Double(match.3)), forKey: key) == nil,
                    "\(key) stands twice")
            }
        }
        #expect(text.hasSuffix("\n"))
        return values
    }

    @Test func `the text is well-formed from the start and counts tokens by stage`() throws {
        let service = TestService()
        let before = try series(service.get("/metrics").text)
        #expect(before["perception_images_total"] == 0)
        #expect(before["perception_build_info{version=\"\(ServiceSettings.version)\"}"] == 1)
        var batch = TokenBatch(lengths: [4, 4], seed: 61)
        batch.responseMask = [[1, 1, 1, 0], [1, 1, 1, 1]]
        batch.advantages = [1, -1]
        let reply = try service.post("/v1/score", batch.rollouts([:]), type: "application/json").json()
        _ = try service.post("/v1/score", batch.rollouts([:]), type: "application/json")
        _ = try service.post(text: "{", to: "/v1/score")
        let after = try series(service.get("/metrics").text)
        for (stage, member) in [
            ("response", "tokens"), ("candidate", "candidates"), ("selected", "selected"), ("gated", "gated"),
        ] {
            let count = try #require(reply["diagnostics"]?[member]?.double)
            #expect(after["perception_tokens_total{preset=\"cppo-verl\",stage=\"\(stage)\"}"] == 2 * count)
        }
        #expect(after["perception_tokens_total{preset=\"cppo-verl\",stage=\"response\"}"] == 14)
        for phase in ["decode", "compute", "encode"] {
            let labels = "route=\"/v1/score\",phase=\"\(phase)\""
            #expect(
                after["perception_phase_duration_seconds_count{\(labels)}"] == 2,
                "the malformed one took no phase")
            #expect(after["perception_phase_duration_seconds_bucket{\(labels),le=\"+Inf\"}"] == 2)
        }
    }

    @Test func `buckets never fall and end at the count`() throws {
        let service = TestService()
        for _ in 0..<5 { _ = try service.post(text: #"{"rollouts":[]}"#, to: "/v1/mask") }
        let lines = try service.get("/metrics").text.split(separator: "\n").filter {
            $0.hasPrefix("perception_phase_duration_seconds_bucket") && $0.contains("\"compute\"")
        }
        let counts = lines.compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }
        #expect(counts.count == 12 && counts == counts.sorted() && counts.last == 5)
    }

    @Test func `the load is shown as it is asked for`() throws {
        let response = try TestService().get("/metrics")
        #expect(response.headers[.contentType] == "text/plain; version=0.0.4")
        let values = try series(response.text)
        for name in [
            "http_requests_in_flight", "http_connections", "worker_queue_length", "workers_busy",
            "memory_budget_used_bytes",
        ] {
            #expect(values["perception_\(name)"] == 0, "\(name)")
        }
        #expect(values["perception_memory_budget_bytes"] == Double(ServiceSettings().memoryBudgetBytes))
    }
}
