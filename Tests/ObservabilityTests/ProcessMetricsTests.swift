import Glibc
import Observability
import Testing

@Suite struct ProcessMetricsTests {
    private func values() throws -> [String: Double] {
        let registry = MetricRegistry(ProcessMetrics.families)
        ProcessMetrics().update(registry)
        let lines = registry.text.split(separator: "\n").filter { !$0.hasPrefix("#") }
        return try Dictionary(
            uniqueKeysWithValues: lines.map { line in
                let words = line.split(separator: " ")
                return (String(words[0]), try #require(Double(words[1]), "\(line)"))
            })
    }

    @Test func `open files are those that are open`() throws {
        let files = (0..<40).map { _ in unsafe open("/dev/null", O_RDONLY) }
        defer { for file in files { close(file) } }
        let found = try values()
        #expect(files.allSatisfy { $0 >= 0 })
        #expect(try #require(found["process_open_fds"]) >= 43)
        #expect(try #require(found["process_open_fds"]) < 10_000)
        var limit = rlimit()
        try #require(unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
        #expect(found["process_max_fds"] == Double(limit.rlim_cur))
    }

    @Test func `memory is what is touched`() throws {
        let before = try values()
        let bytes = 256 << 20
        let touched = [UInt8](repeating: 1, count: bytes)
        let after = try values()
        #expect(touched[bytes - 1] == 1)
        let grown =
            try #require(after["process_resident_memory_bytes"])
            - #require(before["process_resident_memory_bytes"])
        // Tests beside this one give some of theirs back.
        #expect(grown > Double(bytes) / 2)
        #expect(
            try #require(after["process_virtual_memory_bytes"])
                > #require(after["process_resident_memory_bytes"]))
    }

    @Test func `the process started before now and has used processor time since`() throws {
        let found = try values()
        var now = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        let age = Double(now.tv_sec) - (try #require(found["process_start_time_seconds"]))
        #expect(age > -2 && age < 7 * 86_400)
        var used = timespec()
        unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used)
        // In whole ticks, so up to a little earlier than this clock.
        let seconds = try #require(found["process_cpu_seconds_total"])
        #expect(seconds >= 0 && seconds <= Double(used.tv_sec) + Double(used.tv_nsec) * 1e-9 + 0.05)
        #expect(try #require(found["process_threads"]) >= 1)
    }
}
