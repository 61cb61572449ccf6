import Glibc

/// The metrics that every Prometheus client library reports about its own process, under the common names. They are
/// read from /proc (proc(5)).
package struct ProcessMetrics: Sendable {
    private static let processor = MetricFamily(
        "process_cpu_seconds_total", .counter, help: "User and system CPU time spent in seconds.")
    private static let resident = MetricFamily(
        "process_resident_memory_bytes", .gauge, help: "Resident memory size in bytes.")
    private static let virtual = MetricFamily(
        "process_virtual_memory_bytes", .gauge, help: "Virtual memory size in bytes.")
    private static let started = MetricFamily(
        "process_start_time_seconds", .gauge,
        help: "Start time of the process since the Unix epoch in seconds.")
    private static let openFiles = MetricFamily(
        "process_open_fds", .gauge, help: "Number of open file descriptors.")
    private static let mostFiles = MetricFamily(
        "process_max_fds", .gauge, help: "Maximum number of open file descriptors.")
    private static let threads = MetricFamily("process_threads", .gauge, help: "Number of threads.")

    package static let families = [processor, resident, virtual, started, openFiles, mostFiles, threads]

    /// The wall-clock time of the last boot. It is read once, so that the start time does not change when the clock is
    /// set.
    private let boot: Double

    package init() {
        boot =
            lines(of: "/proc/stat").first { $0.hasPrefix("btime ") }
            .flatMap { Double($0.dropFirst(6)) } ?? 0
    }

    /// Sets the gauges to the current values. If /proc is not mounted they stay at 0.
    package func update(_ registry: MetricRegistry) {
        func set(_ value: Double, _ family: MetricFamily) { registry.series(of: family).set(value) }
        // The name in parentheses may contain any characters. The state, field 3, follows it.
        let fields =
            lines(of: "/proc/self/stat").joined(separator: "\n")
            .split(separator: ")").last?.split(separator: " ") ?? []
        func field(_ number: Int) -> Double {
            fields.count > number - 3 ? Double(fields[number - 3]) ?? 0 : 0
        }
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        set((field(14) + field(15)) / ticks, ProcessMetrics.processor)
        set(field(20), ProcessMetrics.threads)
        set(boot + field(22) / ticks, ProcessMetrics.started)
        set(field(23), ProcessMetrics.virtual)
        set(field(24) * Double(sysconf(Int32(_SC_PAGESIZE))), ProcessMetrics.resident)
        set(Double(openFileCount), ProcessMetrics.openFiles)
        var limit = rlimit()
        if unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            set(Double(limit.rlim_cur), ProcessMetrics.mostFiles)
        }
    }

    private var openFileCount: Int {
        guard let folder = unsafe opendir("/proc/self/fd") else { return 0 }
        defer { unsafe closedir(folder) }
        var entries = 0
        while unsafe readdir(folder) != nil { entries += 1 }
        // Excludes `.`, `..` and the folder itself.
        return max(0, entries - 3)
    }
}

private func lines(of path: String) -> [String] {
    guard let file = unsafe fopen(path, "r") else { return [] }
    defer { unsafe fclose(file) }
    // Files of /proc report no size.
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 << 10)
    while true {
        let count = unsafe fread(&piece, 1, piece.count, file)
        if count == 0 { break }
        bytes += piece[..<count]
    }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
}
