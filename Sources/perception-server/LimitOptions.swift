import ArgumentParser
import HTTP
import Service

/// The options that limit the server's load.
struct LimitOptions: ParsableArguments {
    @Option(help: "Heavy requests to work on at once; each can use every core. (default: number of cores)")
    var threads: Int?

    @Option(help: "Threads that move bytes and answer small requests. (default: half the cores, 2 to 8)")
    var ioThreads: Int?

    @Option(help: "Largest request body to hold in memory; a larger one gets 413. (default: 1 GiB)")
    var maxBodyBytes: Int?

    @Option(
        help: "Largest body to reduce as it arrives; a larger one gets 413. (default: 1 TiB)")
    var maxStreamedBodyBytes: Int?

    @Option(help: "Largest JSON body; a larger one gets 413. (default: 64 MiB)")
    var maxJsonBodyBytes: Int?

    @Option(
        help:
            "Memory for bodies, work and answers of all requests in flight; beyond it, 503. (default: 4 GiB)")
    var memoryBudgetBytes: Int?

    @Option(help: "Largest width × height of an image; a larger one gets 413. (default: 50000000)")
    var maxImagePixels: Int?

    @Option(help: "Connections to serve at once; further ones get 503. (default: 10000)")
    var maxConnections: Int?

    @Option(help: "Heavy requests that can wait for a thread; further ones get 503. (default: 1024)")
    var queueLimit: Int?

    @Option(help: "Largest request header; a larger one gets 431. (default: 32768)")
    var maxHeaderBytes: Int?

    @Option(help: "Longest request target; a longer one gets 414. (default: 16384)")
    var maxTargetBytes: Int?

    @Option(
        help:
            "Seconds from the complete header to the end of the answer, then 504; clients set less with X-Request-Timeout. (default: 3600)"
    )
    var requestTimeoutSeconds: Int?

    @Option(help: "Seconds for a header to arrive, then 408. (default: 20)")
    var headerTimeoutSeconds: Int?

    @Option(
        help:
            "Seconds that a body or an answer can take beyond its bytes / --min-bytes-per-second, then 408. (default: 30)"
    )
    var bodyTimeoutSeconds: Int?

    @Option(help: "Minimum rate of bodies and answers. (default: 65536)")
    var minBytesPerSecond: Int?

    @Option(help: "Seconds that a connection can be idle between requests. (default: 75)")
    var idleTimeoutSeconds: Int?

    @Option(help: "Seconds that a 503 tells clients to wait. (default: 1)")
    var retryAfterSeconds: Int?

    @Option(
        help:
            "Run names (Perception-Run) that metrics distinguish; further ones count as other. (default: 64)")
    var maxRuns: Int?

    @Option(
        help:
            "Scored batches of each run to keep in memory for /live, up to 256; every client with a token sees them. (default: none)"
    )
    var keepRecent: Int?

    @Option(help: "Memory for kept batches, taken from the memory budget at the start. (default: 64 MiB)")
    var keepRecentBytes: Int?

    @Option(help: "Seconds that requests in flight have to finish after SIGTERM. (default: 30)")
    var shutdownGraceSeconds: Int?

    func configuration() throws -> ServerConfiguration {
        var configuration = ServerConfiguration()
        func set(
            _ path: WritableKeyPath<ServerConfiguration, Int>, _ argument: Int?, _ option: String,
            to most: Int = .max
        ) throws {
            guard let value = try number(argument, option, 1...most) else { return }
            configuration[keyPath: path] = value
        }
        func set(
            _ path: WritableKeyPath<ServerConfiguration, Duration>, _ argument: Int?, _ option: String,
            from least: Int = 1
        ) throws {
            guard let seconds = try number(argument, option, least...Self.most) else { return }
            configuration[keyPath: path] = .seconds(seconds)
        }
        try set(\.workerThreads, threads, "threads", to: Self.most)
        try set(\.ioThreads, ioThreads, "io-threads", to: Self.most)
        try set(\.maxBodyBytes, maxBodyBytes, "max-body-bytes")
        try set(\.memoryBudgetBytes, memoryBudgetBytes, "memory-budget-bytes")
        try set(\.maxConnections, maxConnections, "max-connections", to: Self.most)
        try set(\.workQueueLimit, queueLimit, "queue-limit", to: Self.most)
        // Together they must fit in the memory of a connection.
        try set(\.maxHeaderBytes, maxHeaderBytes, "max-header-bytes", to: 64 << 10)
        try set(\.maxTargetBytes, maxTargetBytes, "max-target-bytes", to: 32 << 10)
        try set(\.minimumBytesPerSecond, minBytesPerSecond, "min-bytes-per-second")
        try set(\.requestTimeout, requestTimeoutSeconds, "request-timeout-seconds")
        try set(\.headerTimeout, headerTimeoutSeconds, "header-timeout-seconds")
        try set(\.bodyDeadline, bodyTimeoutSeconds, "body-timeout-seconds")
        try set(\.idleTimeout, idleTimeoutSeconds, "idle-timeout-seconds")
        try set(\.retryAfter, retryAfterSeconds, "retry-after-seconds")
        try set(\.drainGrace, shutdownGraceSeconds, "shutdown-grace-seconds", from: 0)
        return configuration
    }

    /// The limits for the endpoints, including their own.
    func settings(_ configuration: ServerConfiguration) throws -> ServiceSettings {
        var settings = ServiceSettings(configuration)
        func set(
            _ path: WritableKeyPath<ServiceSettings, Int>, _ argument: Int?, _ option: String,
            to most: Int = .max
        ) throws {
            guard let value = try number(argument, option, 1...most) else { return }
            settings[keyPath: path] = value
        }
        try set(\.maxJSONBodyBytes, maxJsonBodyBytes, "max-json-body-bytes")
        try set(\.maxStreamedBodyBytes, maxStreamedBodyBytes, "max-streamed-body-bytes")
        try set(\.maxImagePixels, maxImagePixels, "max-image-pixels")
        try set(\.maxRuns, maxRuns, "max-runs", to: 10_000)
        settings.keepRecent = try number(keepRecent, "keep-recent", 1...256)
        let least = ServiceSettings.leastKeepRecentBytes
        if let bytes = try number(keepRecentBytes, "keep-recent-bytes", least...(.max)) {
            settings.keepRecentBytes = bytes
        }
        if settings.keepRecent != nil {
            try setAside(settings.keepRecentBytes, of: &settings.server.memoryBudgetBytes)
        }
        return settings
    }

    /// Memory for kept batches is never available to requests.
    private func setAside(_ bytes: Int, of budget: inout Int) throws {
        guard bytes <= budget / 2 else {
            throw ValidationError(
                "--keep-recent-bytes must be at most half of --memory-budget-bytes, not \(bytes) of \(budget)"
            )
        }
        budget -= bytes
    }

    /// The upper bound of numbers: above any useful value, and small enough for sums.
    private static let most = 1_000_000_000

    private func number(_ argument: Int?, _ option: String, _ range: ClosedRange<Int>) throws -> Int? {
        let words =
            range.upperBound == .max
            ? "at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
        return try resolved(argument, option, words, where: range.contains)
    }
}
