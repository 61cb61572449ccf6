import Dispatch
import Observability
import Testing

@Suite struct MetricRegistryTests {
    private static let requests = MetricFamily(
        "requests_total", .counter, labels: ["path"], help: "Requests.")
    private static let load = MetricFamily("load", .gauge, help: "Load.")
    private static let duration = MetricFamily(
        "duration_seconds", .histogram(buckets: [0.5, 1, 2]), labels: ["path"], help: "Duration.")

    private func registry() -> MetricRegistry {
        MetricRegistry([
            MetricRegistryTests.requests, MetricRegistryTests.load, MetricRegistryTests.duration,
        ])
    }

    @Test func `a family without labels is there from the start, one with labels once it has a value`() {
        #expect(
            registry().text == """
                # HELP requests_total Requests.
                # TYPE requests_total counter
                # HELP load Load.
                # TYPE load gauge
                load 0
                # HELP duration_seconds Duration.
                # TYPE duration_seconds histogram

                """)
    }

    @Test func `buckets are cumulative, hold values equal to their bound, and end at the count`() {
        let registry = registry()
        let series = registry.series(of: MetricRegistryTests.duration, ["/"])
        for value in [0.25, 0.5, 0.75, 1, 2.000001, 100] { series.observe(value) }
        let lines = registry.text.split(separator: "\n").filter { $0.hasPrefix("duration_seconds") }
        #expect(
            lines == [
                "duration_seconds_bucket{path=\"/\",le=\"0.5\"} 2",
                "duration_seconds_bucket{path=\"/\",le=\"1\"} 4",
                "duration_seconds_bucket{path=\"/\",le=\"2\"} 4",
                "duration_seconds_bucket{path=\"/\",le=\"+Inf\"} 6",
                "duration_seconds_sum{path=\"/\"} 104.500001",
                "duration_seconds_count{path=\"/\"} 6",
            ])
    }

    @Test(arguments: [
        ("\\", #"\\"#), ("\"", #"\""#), ("a\nb", #"a\nb"#), ("\r\n", "\r\\n"), ("ü🙂", "ü🙂"), ("", ""),
    ]) func `label values are escaped as the format wants`(value: String, written: String) {
        let registry = registry()
        registry.series(of: MetricRegistryTests.requests, [value]).add(1)
        #expect(registry.text.utf8.contains("requests_total{path=\"\(written)\"} 1\n".utf8))
    }

    @Test func `a gauge is what it was set to last, a counter the sum of all`() {
        let registry = registry()
        for value in [3, -2.5] { registry.series(of: MetricRegistryTests.load).set(value) }
        for _ in 0..<3 { registry.series(of: MetricRegistryTests.requests, ["/"]).add(1.5) }
        #expect(registry.text.contains("\nload -2.5\n"))
        #expect(registry.text.contains("requests_total{path=\"/\"} 4.5\n"))
    }

    @Test func `no count is lost when many threads count, also in series that are new to all of them`() {
        let registry = registry()
        let rounds = 2_000
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for round in 0..<rounds {
                let path = "/\(round % 7)"
                registry.series(of: MetricRegistryTests.requests, [path]).add(Double(thread + 1))
                registry.series(of: MetricRegistryTests.duration, [path]).observe(Double(round % 4))
                // A reader in between sees a histogram whose last bucket is its count.
                if round % 500 == 0 { #expect(isConsistent(registry.text)) }
            }
        }
        var counted = 0
        var observed = 0
        for path in 0..<7 {
            counted += value("requests_total{path=\"/\(path)\"}", registry.text)
            observed += value("duration_seconds_count{path=\"/\(path)\"}", registry.text)
        }
        #expect(counted == rounds * (1...8).reduce(0, +))
        #expect(observed == rounds * 8)
    }

    private func value(_ series: String, _ text: String) -> Int {
        text.split(separator: "\n").first { $0.hasPrefix(series + " ") }
            .flatMap { Int($0.dropFirst(series.count + 1)) } ?? 0
    }

    private func isConsistent(_ text: String) -> Bool {
        (0..<7).allSatisfy { path in
            value("duration_seconds_bucket{path=\"/\(path)\",le=\"+Inf\"}", text)
                == value("duration_seconds_count{path=\"/\(path)\"}", text)
        }
    }

    @Test func `a pool keeps the first values apart and puts the others together`() {
        let pool = LabelPool(limit: 2)
        #expect(["a", "b", "c", "a", "d", "b"].map(pool.label) == ["a", "b", "other", "a", "other", "b"])
        #expect(LabelPool(limit: 0).label("a") == LabelPool.overflow)
    }
}

extension Sequence where Element == UInt8 {
    fileprivate func contains(_ other: some Sequence<UInt8>) -> Bool {
        let (all, part) = (Array(self), Array(other))
        guard all.count >= part.count else { return false }
        return (0...all.count - part.count).contains { all[$0..<$0 + part.count].elementsEqual(part) }
    }
}
