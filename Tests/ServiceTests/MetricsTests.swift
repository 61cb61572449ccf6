import HTTPTypes
import JSON
import Service
import Testing

@testable import HTTP

@Suite struct MetricsTests {
    /// Series by name and labels.
    private func series(_ service: TestService) throws -> [String: Double] {
        let text = try service.get("/metrics").text
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

    private func signal(_ name: String, _ preset: String, _ run: String, sign: String? = nil) -> String {
        let labels = "preset=\"\(preset)\",run=\"\(run)\"" + (sign.map { ",sign=\"\($0)\"" } ?? "")
        return "perception_\(name)_total{\(labels)}"
    }

    private func score(_ service: TestService, _ batch: TokenBatch, run: String?, _ options: JSONValue = [:])
        throws -> JSONValue
    {
        let fields = [("Content-Type", "application/json")] + (run.map { [("Perception-Run", $0)] } ?? [])
        return try service.send("POST", "/v1/score", batch.rollouts(options), headers: fields).json()
    }

    @Test func `the text is well-formed from the start`() throws {
        let before = try series(TestService())
        #expect(before["perception_images_total"] == 0)
        let labels = "version=\"\(ServiceSettings.version)\",instruction_set="
        #expect(before.filter { $0.key.hasPrefix("perception_build_info{\(labels)") }.map(\.value) == [1])
        #expect(try #require(before["process_resident_memory_bytes"]) > 1_000_000)
    }

    @Test func `phases are timed for what was answered`() throws {
        let service = TestService()
        let batch = TokenBatch(lengths: [4, 4], seed: 61)
        for _ in 0..<2 { _ = try score(service, batch, run: nil) }
        _ = try service.post(text: "{", to: "/v1/score")
        let after = try series(service)
        for phase in ["decode", "compute", "encode"] {
            let labels = "route=\"/v1/score\",phase=\"\(phase)\""
            #expect(
                after["perception_phase_duration_seconds_count{\(labels)}"] == 2,
                "the malformed one took no phase")
            #expect(after["perception_phase_duration_seconds_bucket{\(labels),le=\"+Inf\"}"] == 2)
        }
        #expect(after["perception_token_positions_total{route=\"/v1/score\"}"] == 16)
    }

    @Test func `training signals are the sums of the replies' means, weighted by their tokens`() throws {
        let service = TestService()
        var expected: [String: Double] = [:]
        // Micro-batches of different size, one with fewer candidates, one whose contrasts are negative.
        for (index, lengths) in [[9, 9, 2], [1], [9, 9, 2], [], [17]].enumerated() {
            var batch = TokenBatch(lengths: lengths, seed: index == 2 ? 62 : 62 + UInt64(index))
            batch.advantages = lengths.indices.map { $0 % 2 == 0 ? 1 : -1 }
            if index == 2 {
                // Exchanged views turn contrasts round.
                let (preserving, removing) = (batch.columns[1].rows, batch.columns[2].rows)
                batch.columns[1].rows = removing
                batch.columns[2].rows = preserving
            }
            let reply = try score(service, batch, run: "a", ["preset": "cppo-areal"])
            let found = try #require(reply["diagnostics"])
            func count(_ member: String) throws -> Double { try #require(found[member]?.double) }
            let (tokens, gated) = (try count("tokens"), try count("gated"))
            let sums = [
                "response_tokens": tokens, "compared_tokens": tokens, "loss_tokens": gated,
                "gated_tokens": gated,
                "candidate_tokens": try count("candidates"), "selected_tokens": try count("selected"),
                "clamped_tokens": (found["clamped_fraction"]?.double ?? 0) * gated,
                "loss_numerator": try #require(reply["loss_numerator"]?.double),
                "loss_denominator": try #require(reply["loss_denominator"]?.double),
                "delta_entropy_nats": (found["mean_delta_entropy"]?.double ?? 0) * tokens,
                "contrast_nats": (found["mean_contrast"]?.double ?? 0) * gated,
            ]
            for (name, sum) in sums { expected[name, default: 0] += sum }
        }
        let after = try series(service)
        for (name, sum) in expected {
            let found =
                if ["delta_entropy_nats", "contrast_nats", "loss_numerator"].contains(name) {
                    try #require(after[signal(name, "cppo-areal", "a", sign: "positive")])
                        - #require(after[signal(name, "cppo-areal", "a", sign: "negative")])
                } else {
                    try #require(after[signal(name, "cppo-areal", "a")], "\(name)")
                }
            #expect(abs(found - sum) <= 1e-9 * max(1, abs(sum)), "\(name): \(found) is not \(sum)")
        }
        #expect(try #require(expected["gated_tokens"]) > 3)
        #expect(try #require(expected["selected_tokens"]) > (try #require(expected["gated_tokens"])))
        for sign in ["positive", "negative"] {
            #expect(try #require(after[signal("contrast_nats", "cppo-areal", "a", sign: sign)]) > 0)
        }
    }

    @Test func `what was not compared or carries no loss is in no denominator`() throws {
        let service = TestService()
        let batch = TokenBatch(lengths: [5], seed: 71)
        _ = try score(service, batch, run: "plain", ["detector": "none", "gate": "none"])
        let mask = try service.send(
            "POST", "/v1/mask",
            Array(
                #"{"options":{"gate":"none"},"original.entropy":[[1,2]],"removing.entropy":[[2,1.5]]}"#.utf8),
            headers: [("Content-Type", "application/json"), ("Perception-Run", "masks")])
        #expect(mask.status == .ok)
        let after = try series(service)
        let tokens = try #require(after[signal("response_tokens", "cppo-verl", "plain")])
        #expect(after[signal("loss_tokens", "cppo-verl", "plain")] == tokens && tokens > 0)
        #expect(after[signal("compared_tokens", "cppo-verl", "plain")] == nil)
        #expect(after[signal("compared_tokens", "cppo-verl", "masks")] == 2)
        #expect(after[signal("delta_entropy_nats", "cppo-verl", "masks", sign: "positive")] == 0.5)
        #expect(after[signal("delta_entropy_nats", "cppo-verl", "masks", sign: "negative")] == 0)
        #expect(after[signal("loss_tokens", "cppo-verl", "masks")] == nil)
    }

    @Test func `runs are kept apart up to the limit, then counted together`() throws {
        let service = TestService(maxRuns: 2)
        let batch = TokenBatch(lengths: [3], seed: 81)
        let tokens = try score(service, batch, run: "a")["diagnostics"]?["tokens"]?.double ?? 0
        for run in [nil, "b", "c", "a", nil] { _ = try score(service, batch, run: run) }
        let after = try series(service)
        let counts = ["a", "none", "b", "c", "other"].map {
            after[signal("response_tokens", "cppo-verl", $0)]
        }
        #expect(counts == [2 * tokens, 2 * tokens, nil, nil, 2 * tokens] && tokens > 0)
    }

    @Test(
        arguments: [
            ("", "0 bytes; 1 to 64 are accepted"), ("a b", "byte 1 is none of A-Z a-z 0-9 . _ : / -"),
            ("a\u{e4}", "byte 1 is none of A-Z a-z 0-9 . _ : / -"),
            ("a,b", "byte 1 is none of A-Z a-z 0-9 . _ : / -"),
            ("\"", "byte 0 is none of A-Z a-z 0-9 . _ : / -"),
            ("a{b}", "byte 1 is none of A-Z a-z 0-9 . _ : / -"),
            (String(repeating: "r", count: 74), "74 bytes; 1 to 64 are accepted"),
        ])
    func `what is no name of a run fails no step; it counts as other, and the reply says so`(
        run: String, reason: String
    ) throws {
        let service = TestService()
        let status = try #require(HTTPField.Name("Perception-Run-Status"))
        let body = TokenBatch(lengths: [2], seed: 83).rollouts([:])
        let reply = try service.send(
            "POST", "/v1/score", body,
            headers: [("Content-Type", "application/json"), ("Perception-Run", run)])
        #expect(reply.status == .ok)
        #expect(reply.headers[values: status] == ["other;reason=\"\(reason)\""])
        let found = try series(service)
        #expect(found[signal("response_tokens", "cppo-verl", "other")] != nil)
        #expect(found[signal("response_tokens", "cppo-verl", "none")] == nil)
        for (method, path) in OperationsTests.posts.map({ ("POST", $0) }) + [
            ("GET", "/v1/info"), ("GET", "/v1/no"),
        ] {
            let reply = try service.send(
                method, path, Array("[]".utf8),
                headers: [("Content-Type", "application/json"), ("Perception-Run", run)])
            #expect(reply.headers[values: status].count == 1, "\(path)")
            #expect(!reply.text.contains("Perception-Run"))
        }
        let named = try service.send(
            "POST", "/v1/score", body,
            headers: [("Content-Type", "application/json"), ("Perception-Run", "good")])
        #expect(named.headers[status] == nil)
    }

    @Test func `the longest name of a run with every kind of character is taken`() throws {
        let service = TestService()
        let run = "Zz09._:/-" + String(repeating: "r", count: 55)
        _ = try score(service, TokenBatch(lengths: [2], seed: 82), run: run)
        #expect(try series(service)[signal("response_tokens", "cppo-verl", run)] != nil)
    }

    @Test func `finished exchanges are counted by method, route and status, with their bytes and phases`()
        throws
    {
        let service = TestService()
        let host = try #require(HTTPField.Name("Host"))
        let head = try RequestHead(method: "POST", target: "/v1/mask", headers: [host: "localhost"])
        var durations = Exchange.Durations(receive: .milliseconds(2), queue: .zero, work: .zero)
        durations.total = .milliseconds(30)
        let answered = Exchange(
            head: head, route: "/v1/mask", status: .ok, bytesIn: 100, bytesOut: 40, durations: durations,
            ending: .completed)
        durations.queue = .milliseconds(3)
        durations.work = .milliseconds(5)
        var notes = ResponseNotes()
        notes.problem = "invalid-shape"
        let refused = Exchange(
            head: head, route: "/v1/mask", status: .unprocessableContent, bytesIn: 10, bytesOut: 4,
            durations: durations, ending: .clientGone, notes: notes)
        let unrouted = Exchange(
            head: try RequestHead(method: "BREW", target: "/pot", headers: [host: "localhost"]), route: nil,
            status: .notFound, bytesIn: 0, bytesOut: 7, durations: durations, ending: .completed)
        for exchange in [answered, answered, refused, unrouted] {
            service.service.observer.requestFinished(exchange)
        }
        let after = try series(service)
        func http(_ name: String, _ labels: String) -> Double? { after["perception_http_\(name){\(labels)}"] }
        #expect(http("requests_total", #"method="POST",route="/v1/mask",status="200""#) == 2)
        #expect(http("requests_total", #"method="POST",route="/v1/mask",status="422""#) == 1)
        #expect(http("requests_total", #"method="none",route="none",status="404""#) == 1)
        #expect(
            http("request_duration_seconds_bucket", #"route="/v1/mask",status="200",le="0.05""#) == 2
                && http("request_duration_seconds_bucket", #"route="/v1/mask",status="200",le="0.025""#) == 0)
        #expect(http("request_body_bytes_total", #"route="/v1/mask""#) == 210)
        #expect(http("response_body_bytes_total", #"route="/v1/mask""#) == 84)
        #expect(http("endings_total", #"ending="completed""#) == 3)
        #expect(http("endings_total", #"ending="client-gone""#) == 1)
        #expect(after[#"perception_problems_total{type="invalid-shape"}"#] == 1)
        func phase(_ phase: String) -> Double? {
            after["perception_phase_duration_seconds_count{route=\"/v1/mask\",phase=\"\(phase)\"}"]
        }
        #expect(phase("receive") == 3 && phase("queue") == 1)
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

    @Test func `the load is shown as it is asked for, beside its limits`() throws {
        let service = TestService()
        #expect(try service.get("/metrics").headers[.contentType] == "text/plain; version=0.0.4")
        let values = try series(service)
        for name in [
            "http_requests_in_flight", "http_connections", "worker_queue_length", "workers_busy",
            "memory_budget_used_bytes",
        ] {
            #expect(values["perception_\(name)"] == 0, "\(name)")
        }
        let settings = ServiceSettings()
        #expect(values["perception_ready"] == 1)
        #expect(values["perception_memory_budget_bytes"] == Double(settings.server.memoryBudgetBytes))
        #expect(values["perception_http_connections_limit"] == Double(settings.server.maxConnections))
        #expect(values["perception_workers"] == Double(settings.server.workerThreads))
        #expect(values["perception_worker_queue_limit"] == Double(settings.server.workQueueLimit))
    }
}
