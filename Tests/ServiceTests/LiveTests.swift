import HTTP
import HTTPTypes
import JSON
import Service
import Tensor
import Testing

/// What is kept of scored batches, and how it is handed out.
@Suite struct LiveTests {
    private let options: JSONValue = ["preset": "cppo-verl"]

    private func score(_ service: TestService, _ batch: TokenBatch, run: String? = nil) throws -> Response {
        var headers = [("Content-Type", "application/json")]
        if let run { headers.append(("Perception-Run", run)) }
        let reply = try service.send("POST", "/v1/score", batch.rollouts(options), headers: headers)
        #expect(reply.status == .ok, "\(reply.text.prefix(300))")
        return reply
    }

    private func runs(_ service: TestService) throws -> [JSONValue] {
        try #require(try service.get("/v1/live").json()["runs"]?.array)
    }

    private func numbers(_ run: JSONValue) -> [Int64] {
        (run["batches"]?.array ?? []).compactMap { $0["batch"]?.integer }
    }

    @Test func `nothing is kept unless it is asked for`() throws {
        let service = TestService()
        _ = try score(service, TokenBatch(lengths: [3], seed: 1))
        for path in ["/v1/live", "/v1/live/batches/1", "/v1/live/events"] {
            let reason = try service.get(path).expectProblem(.notFound, field: "path")
            #expect(reason["reason"]?.string?.contains("--keep-recent") == true)
        }
        #expect(try service.get("/live").status == .ok)
        let metrics = try service.get("/metrics").text
        #expect(metrics.contains("\nperception_recent_batches 0\n"))
        #expect(metrics.contains("\nperception_recent_limit_bytes 0\n"))
    }

    @Test func `the last batches of each run are kept, and the signals of all`() throws {
        let service = TestService(keepRecent: 2)
        let batch = TokenBatch(lengths: [3, 5], seed: 1)
        for run in ["a", "b", "a", "a", nil] { _ = try score(service, batch, run: run) }
        let runs = try runs(service)
        #expect(runs.map { $0["run"]?.string } == ["none", "a", "b"])
        #expect(runs.map(numbers) == [[5], [3, 4], [2]])
        #expect(runs[1]["total"] == 3)
        #expect(runs[1]["history"]?["batch"] == [1, 3, 4])
        #expect(runs[1]["history"]?["loss"]?.array?.count == 3)
        #expect(try service.get("/metrics").text.contains("\nperception_recent_batches 4\n"))
        try service.get("/v1/live/batches/1").expectProblem(.notFound, field: "path")
        for wrong in ["0", "x", "-4", "4x", "99999999999999999999"] {
            try service.get("/v1/live/batches/\(wrong)").expectProblem(.notFound)
        }
    }

    @Test func `a summary says what the reply said`() throws {
        let service = TestService(keepRecent: 2)
        let reply = try score(service, TokenBatch(lengths: [3, 5], seed: 1), run: "a").json()
        let summary = try #require(try runs(service)[0]["batches"]?.array?[0])
        let diagnostics = try #require(reply["diagnostics"])
        let signals = try #require(summary["signals"])
        #expect(signals["loss"] == reply["loss"] && signals["objective"] == reply["objective"])
        #expect(signals["mean_delta_entropy"] == diagnostics["mean_delta_entropy"])
        let tokens = try #require(diagnostics["tokens"]?.double)
        #expect(signals["selected_fraction"]?.double == (diagnostics["selected"]?.double ?? 0) / tokens)
        #expect(summary["response_tokens"]?.double == tokens && summary["tokens"] == 8)
        #expect(summary["sequences"] == 2 && summary["preset"] == "cppo-verl")
        #expect(summary["has_texts"] == false)
    }

    @Test func `what was never read, or what no 32-bit float holds, is shown as one that is`() throws {
        let service = TestService(keepRecent: 2)
        var file = SafetensorsWriter()
        file.setMetadata("options", #"{"gate":"none","detector":"none","return":["mask"]}"#)
        for name in ["original", "preserving", "removing"] {
            let unread = name == "original" ? -1 : Double.nan
            file.append(
                "\(name).log_probs", .float32, shape: [2, 1], bytes: littleEndian([-1, unread], .float32))
        }
        file.append("has_views", shape: [2], integers: [1, 0])
        let scored = try service.post("/v1/score", file.segments().flatMap { $0 })
        #expect(scored.status == .ok, "\(scored.text.prefix(300))")
        let kept = try service.get("/v1/live/batches/1").json()
        #expect(kept["rollouts"]?.array?[0]["removing"]?["log_probs"] == .array([.number(-1)]))
        #expect(kept["rollouts"]?.array?[1]["removing"]?["log_probs"] == [0])

        let large = try service.post(
            text: #"""
                {"options":{"detector":"none","estimator":"k1","loss":"margin","return":["mask"]},"advantages":[1e39],
                "original.log_probs":[[-1]],"preserving.log_probs":[[-1]],"removing.log_probs":[[-1e39]]}
                """#,
            to: "/v1/score")
        #expect(large.status == .ok, "\(large.text.prefix(300))")
        let shown = try service.get("/v1/live/batches/2").json()["rollouts"]?.array?[0]
        #expect(shown?["advantage"]?.double.map(Float.init) == Float.greatestFiniteMagnitude)
        #expect(
            shown?["removing"]?["log_probs"]?.array?[0].double.map(Float.init)
                == -Float.greatestFiniteMagnitude)
    }

    @Test func `a kept batch holds the request's numbers and the reply's`() throws {
        let service = TestService(keepRecent: 1)
        let batch = TokenBatch(lengths: [3, 5], seed: 1)
        let reply = try score(service, batch).json()
        let kept = try service.get("/v1/live/batches/1").json()
        for name in ["loss", "weighted_loss", "objective", "diagnostics", "options"] {
            #expect(kept[name] == reply[name], "\(name)")
        }
        let rollouts = try #require(kept["rollouts"]?.array)
        #expect(rollouts.count == 2)
        for (row, rollout) in rollouts.enumerated() {
            let said = try #require(reply["rollouts"]?.array?[row])
            #expect(rollout["id"] == .string("r\(row)"))
            for name in ["perception_mask", "gate", "mask", "delta_entropy", "token_loss", "grad"] {
                #expect(rollout[name] != nil && rollout[name] == said[name], "\(name)")
            }
            #expect(rollout["response_mask"] == list(batch.responseMask[row]))
            for (name, rows) in batch.columns {
                let (view, member) = (name.prefix { $0 != "." }, name.drop { $0 != "." }.dropFirst())
                let found = try #require(rollout[String(view)]?[String(member)]?.array)
                let expected = zip(rows[row], batch.responseMask[row]).map { $0 * Double($1) }
                #expect(found.map(\.double) == expected, "\(name)")
            }
        }
    }

    @Test(arguments: [false, true]) func `as safetensors it is packed, and padding is 0`(packed: Bool) throws
    {
        let service = TestService(keepRecent: 1)
        let batch = TokenBatch(lengths: [3, 5], seed: 1)
        #expect(try service.post("/v1/score", batch.safetensors(options, packed: packed)).status == .ok)
        let reply = try service.send(
            "GET", "/v1/live/batches/1", headers: [("Accept", "application/x-safetensors")])
        #expect(reply.headers[.contentType] == "application/x-safetensors")
        let file = try Safetensors(parsing: reply.bytes)
        let offsets = packed ? [0, 3, 8] : [0, 5, 10]
        #expect(file.tensors["cu_seqlens"]?.integers() == offsets)
        #expect(file.tensors["original.log_probs"]?.shape == [packed ? 8 : 10])
        #expect(file.tensors["grad.removing.log_probs"]?.shape == [packed ? 8 : 10])
        let values = try #require(file.tensors["removing.entropy"]?.doubles())
        let expected = packed ? batch.columns[4].rows[0] : batch.columns[4].rows[0] + [0, 0]
        let mask = batch.responseMask[0] + [0, 0]
        #expect(Array(values.prefix(expected.count)) == zip(expected, mask).map { $0 * Double($1) })
        // JSON can't hold what padding may: it must not be kept either.
        #expect(try service.get("/v1/live/batches/1").json()["rollouts"]?.array?.count == 2)
    }

    @Test func `what is kept stays within its bytes, the oldest going first`() throws {
        let service = TestService(keepRecent: 256, keepRecentBytes: 1 << 20)
        let batch = TokenBatch(lengths: [200, 300], seed: 1)
        for turn in 0..<40 { _ = try score(service, batch, run: turn < 20 ? "a" : "b") }
        let listing = try service.get("/v1/live").json()
        let limit = try #require(listing["limit_bytes"]?.integer)
        let bytes = try #require(listing["kept_bytes"]?.integer)
        #expect(bytes <= limit && bytes > limit / 2)
        let kept = try runs(service).flatMap(numbers).sorted()
        #expect(kept.last == 40 && kept.count > 3 && kept.count < 40)
        #expect(kept == Array((41 - Int64(kept.count))...40))
        // A batch that alone is too large is told of, and not kept.
        _ = try score(service, TokenBatch(lengths: [20_000], seed: 1), run: "a")
        #expect(try runs(service)[0]["history"]?["batch"]?.array?.last == 41)
        #expect(try numbers(runs(service)[0]).last != 41)
        #expect(try service.get("/metrics").text.contains("\nperception_recent_too_large_total 1\n"))
    }

    @Test func `gradients of logits are not kept`() throws {
        let service = TestService(keepRecent: 1)
        let batch = TokenBatch(lengths: [3, 2], seed: 3, vocabulary: 50)
        let body = batch.rollouts(["preset": "cppo-paper"])
        #expect(try service.post("/v1/score", body, type: "application/json").status == .ok)
        let kept = try service.get("/v1/live/batches/1").json()
        let rollout = try #require(kept["rollouts"]?.array?[0])
        let ids = try #require(batch.tokenIDs)
        #expect(rollout["mask"]?.array?.count == 3 && rollout["token_ids"] == list(ids[0]))
        #expect(rollout["grad"] == nil)
    }

    @Test func `other operations are not kept`() throws {
        let service = TestService(keepRecent: 1)
        let mask = #"{"options":{"gate":"none"},"original.entropy":[[0.5]],"removing.entropy":[[1.5]]}"#
        #expect(try service.post(text: mask, to: "/v1/mask").status == .ok)
        #expect(try service.post(text: #"{"rollouts":[{}]}"#, to: "/v1/score").status != .ok)
        #expect(try runs(service).isEmpty)
    }

    @Test func `runs beyond 64 take the place of the one that was silent longest`() throws {
        let service = TestService(maxRuns: 100, keepRecent: 1)
        let batch = TokenBatch(lengths: [1], seed: 1)
        for run in 0..<64 { _ = try score(service, batch, run: "r\(run)") }
        _ = try score(service, batch, run: "r0")
        _ = try score(service, batch, run: "new")
        let names = try runs(service).compactMap { $0["run"]?.string }
        #expect(names.count == 64 && names.first == "new" && names.contains("r0") && !names.contains("r1"))
    }

    @Test func `history goes back 512 batches`() throws {
        let service = TestService(keepRecent: 1)
        let batch = TokenBatch(lengths: [1], seed: 1)
        for _ in 0..<515 { _ = try score(service, batch) }
        let history = try #require(try runs(service)[0]["history"]?["batch"]?.array)
        #expect(history.count == 512 && history.first == 4 && history.last == 515)
        #expect(history == history.sorted { ($0.integer ?? 0) < ($1.integer ?? 0) })
    }
}
