import ArgumentParser
import HTTP
import Logging
import Observability
import Service
import SharedFiles
import TokenDistribution

/// Starts the server and keeps it until SIGTERM or SIGINT.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve until SIGTERM or SIGINT, then finish what is in flight and exit 0.")
    static let version = ServiceSettings.version

    @OptionGroup var listen: ListenOptions
    @OptionGroup var limits: LimitOptions

    @Option(help: "File with the bearer tokens that clients may send, one on each line.")
    var tokenFile: String?

    @Flag(help: "Listen beyond loopback without a token.")
    var insecureNoAuth = false

    @Option(
        help:
            "What logits are computed with: auto (the fastest there is), avx512, avx2, portable. (default: auto)"
    )
    var instructionSet: String?

    @Option(help: "Folder in which requests may name files instead of carrying bodies, as on /dev/shm.")
    var sharedDir: String?

    @Option(help: "Seconds that requests in flight may take to finish after SIGTERM. (default: 30)")
    var shutdownGraceSeconds: Int?

    @Option(
        help:
            "trace, debug (probes, too), info (a line for each request), notice, warning, error. (default: info)"
    )
    var logLevel: String?

    @Option(help: "text or json, one line for each record, to standard error. (default: text)")
    var logFormat: String?

    func run() throws {
        ProcessMemory.keepForTheNextRequest()
        ignoreStraySignals()
        // Before any thread starts, so that all inherit it and only the wait below gets them.
        let signals = TerminationSignals()
        let logger = try makeLogger()
        for name in strangeVariables(help: Serve.helpMessage()) {
            logger.warning("no option has this environment variable", metadata: ["variable": "\(name)"])
        }
        try chooseInstructionSet()
        let address = try listen.address()
        let tokens = try readTokens(beyond: address)
        var configuration = try limits.configuration()
        configuration.address = address
        configuration.serverName = "perception-server/\(Serve.version)"
        if let grace = try resolved(
            shutdownGraceSeconds, "shutdown-grace-seconds", "from 0 to 1000000000",
            where: { (0...1_000_000_000).contains($0) })
        {
            configuration.drainGrace = .seconds(grace)
        }

        var settings = try limits.settings(configuration, tokens: tokens)
        settings.sharedDirectory = try sharedDirectory()

        let running = RunningServer()
        let service = PerceptionService(
            settings: settings, logger: logger,
            isReady: running.isReady,
            load: running.load)
        let server: Server
        do throws(ServerError) {
            server = try Server(
                configuration, router: service.router, render: PerceptionService.render,
                observer: service.observer)
        } catch {
            throw failure("\(error)")
        }
        running.set(server)
        announce("perception-server \(Serve.version) listening on \(server.address)")

        let signal = signals.wait()
        logger.info("draining", metadata: ["signal": "\(signal)"])
        let finished = server.drain()
        logger.info("stopped", metadata: ["all_requests_finished": "\(finished)"])
    }

    /// - Throws: one line when the folder can't be used.
    private func sharedDirectory() throws -> SharedDirectory? {
        guard let path = try resolved(sharedDir, "shared-dir", "a path") else { return nil }
        do throws(SharedFileError) {
            return try SharedDirectory(path: path)
        } catch {
            throw failure("cannot use the shared directory \(path): \(error)")
        }
    }

    private func makeLogger() throws -> Logger {
        let level = try resolved(
            logLevel, "log-level", "a log level", where: { Logger.Level(rawValue: $0) != nil })
        let format = try resolved(
            logFormat, "log-format", "text or json", where: { LineLogHandler.Format(rawValue: $0) != nil })
        let handler = LineLogHandler(
            label: "perception-server", level: level.flatMap { Logger.Level(rawValue: $0) } ?? .info,
            format: format.flatMap { LineLogHandler.Format(rawValue: $0) } ?? .text)
        return Logger(label: "perception-server", factory: { (_: String) -> any LogHandler in handler })
    }

    /// - Throws: one line when this machine lacks the set that was asked for.
    private func chooseInstructionSet() throws {
        let words = ["auto"] + InstructionSet.allCases.map(\.rawValue)
        let word = try resolved(
            instructionSet, "instruction-set", words.joined(separator: ", "), where: words.contains)
        guard let word, let set = InstructionSet(rawValue: word) else { return }
        guard set.isAvailable else {
            throw failure(
                "this machine has no \(word): --instruction-set can be auto, "
                    + InstructionSet.available.map(\.rawValue).joined(separator: ", "))
        }
        InstructionSet.use(set)
    }

    /// - Throws: one line when the file can't be used, or when a token is missing where strangers could connect.
    private func readTokens(beyond address: SocketAddress) throws -> [String] {
        let path = try resolved(tokenFile, "token-file", "a path")
        guard let path else {
            guard try address.isLoopback || resolved(insecureNoAuth, "insecure-no-auth") else {
                throw failure(
                    "refusing to listen on \(address) without a token: give --token-file, or --insecure-no-auth if the "
                        + "network is trusted")
            }
            return []
        }
        return try tokens(inFile: path)
    }
}
