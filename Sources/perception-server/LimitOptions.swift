import ArgumentParser
import HTTP
import Service

/// How much the server takes on.
struct LimitOptions: ParsableArguments {
    @Option(help: "Heavy requests worked on at once; each may use every core. (default: number of cores)")
    var threads: Int?

    @Option(help: "Threads that move bytes and answer small requests. (default: half the cores, 2 to 8)")
    var ioThreads: Int?

    @Option(help: "Largest request body that is held in memory; more is answered with 413. (default: 1 GiB)")
    var maxBodyBytes: Int?

    @Option(
        help: "Largest body that is computed on as it arrives; more is answered with 413. (default: 1 TiB)")
    var maxStreamedBodyBytes: Int?

    @Option(help: "Largest JSON body; more is answered with 413. (default: 64 MiB)")
    var maxJsonBodyBytes: Int?

    @Option(
        help: "Memory for all bodies in flight, and for what one request makes of its own. (default: 4 GiB)")
    var memoryBudgetBytes: Int?

    @Option(help: "Largest width × height of an image; more is answered with 413. (default: 50000000)")
    var maxImagePixels: Int?

    @Option(help: "Connections served at once; more wait. (default: 10000)")
    var maxConnections: Int?

    @Option(help: "Heavy requests that may wait for a thread; more are answered with 503. (default: 256)")
    var queueLimit: Int?

    @Option(
        help:
            "Run names (Perception-Run) that metrics keep apart; further ones count as other. (default: 64)")
    var maxRuns: Int?

    func configuration() throws -> ServerConfiguration {
        var configuration = ServerConfiguration()
        func set(
            _ path: WritableKeyPath<ServerConfiguration, Int>, _ argument: Int?, _ option: String,
            to most: Int = .max
        ) throws {
            let words = "from 1 to \(most)"
            guard let value = try resolved(argument, option, words, where: { (1...most).contains($0) }) else {
                return
            }
            configuration[keyPath: path] = value
        }
        // More than any machine has, and small enough to be added up.
        let count = 1_000_000_000
        try set(\.workerThreads, threads, "threads", to: count)
        try set(\.ioThreads, ioThreads, "io-threads", to: count)
        try set(\.maxBodyBytes, maxBodyBytes, "max-body-bytes")
        try set(\.memoryBudgetBytes, memoryBudgetBytes, "memory-budget-bytes")
        try set(\.maxConnections, maxConnections, "max-connections", to: count)
        try set(\.workQueueLimit, queueLimit, "queue-limit", to: count)
        return configuration
    }

    /// The same limits as the endpoints see them.
    func settings(_ configuration: ServerConfiguration, tokens: BearerTokens?) throws -> ServiceSettings {
        var settings = ServiceSettings(
            maxBodyBytes: configuration.maxBodyBytes,
            maxJSONBodyBytes: try resolved(
                maxJsonBodyBytes, "max-json-body-bytes", "at least 1", where: { $0 >= 1 }) ?? 64 << 20,
            memoryBudgetBytes: configuration.memoryBudgetBytes,
            maxConnections: configuration.maxConnections, queueLimit: configuration.workQueueLimit,
            threads: configuration.workerThreads, tokens: tokens)
        if let bytes = try resolved(
            maxStreamedBodyBytes, "max-streamed-body-bytes", "at least 1", where: { $0 >= 1 })
        {
            settings.maxStreamedBodyBytes = bytes
        }
        if let pixels = try resolved(maxImagePixels, "max-image-pixels", "at least 1", where: { $0 >= 1 }) {
            settings.maxImagePixels = pixels
        }
        if let runs = try resolved(
            maxRuns, "max-runs", "from 1 to 10000", where: { (1...10_000).contains($0) })
        {
            settings.maxRuns = runs
        }
        return settings
    }
}
