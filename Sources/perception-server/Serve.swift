import ArgumentParser
import Batches
import HTTP
import JSON
import Logging
import Observability
import Parallelism
import ProcessFacts
import Service
import SharedFiles
import TokenDistribution

/// Starts the server and runs it until SIGTERM or SIGINT. SIGHUP makes it read its tokens again.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve until SIGTERM or SIGINT, then finish requests in flight and exit with 0.")
    static let version = ServiceSettings.version

    @OptionGroup var listen: ListenOptions
    @OptionGroup var limits: LimitOptions

    @Option(
        help: ArgumentHelp(
            "File with the bearer tokens that clients may send, one on each line. SIGHUP makes the server read it again.",
            discussion:
                "The variable PERCEPTION_TOKENS may also hold tokens, separated by blanks or commas."))
    var tokenFile: String?

    @Flag(help: "Answer /metrics without a token.")
    var openMetrics = false

    @Flag(help: "Listen beyond loopback without a token.")
    var insecureNoAuth = false

    @Option(
        help:
            "Instruction set for logits: auto (the fastest available), avx512, avx2, neon, portable. (default: auto)"
    )
    var instructionSet: String?

    @Option(
        help: "Folder, such as one on /dev/shm, in which requests may name files instead of carrying bodies.")
    var sharedDir: String?

    @Option(
        help:
            "Least level to log: trace, debug (includes probes), info (a line for each request), notice, warning, error. (default: info)"
    )
    var logLevel: String?

    @Option(
        help: "Format of the log on standard error: text or json, one line for each record. (default: text)")
    var logFormat: String?

    @Option(
        help: ArgumentHelp(
            "Drain and exit, within 2 s, when the last writer of the pipe inherited as this descriptor is gone.",
            valueName: "fd"))
    var exitOnEof: Int32?

    func run() throws {
        occupyStandardFiles()
        ProcessMemory.keepForTheNextRequest()
        // Blocked before any thread starts, so that all threads inherit the mask and only the wait below receives
        // signals.
        let signals = Signals()
        let logger = try makeLogger()
        let address = try listen.address()
        let probeAddress = try listen.probeAddress()
        StrangeVariables(ProcessStart.variables, help: Serve.helpMessage()).warn(logger)
        let parent = try resolved(
            exitOnEof, "exit-on-eof", "the number of a descriptor", where: { $0 >= 0 }
        ).map(ParentWatch.init)
        try chooseInstructionSet()
        let tokens = try makeTokens(beyond: [address] + [probeAddress].compactMap(\.self), logger)
        var configuration = try limits.configuration()
        configuration.maxConnections = try possibleConnections(
            configuration.maxConnections,
            besides: probeAddress == nil ? 0 : ServerConfiguration.probeConnections, logger)
        configuration.address = address
        configuration.tls = try listen.tlsIdentity(warning: logger)
        // The field omits the version, which scanners report as a leak. /v1/info contains it.
        configuration.serverName = "perception-server"

        var settings = try limits.settings(configuration)
        // The budget without the memory of kept batches.
        configuration.memoryBudgetBytes = settings.server.memoryBudgetBytes
        settings.publicHosts = try listen.publicHosts()
        settings.tokens = tokens.accepted
        settings.sharedDirectory = try sharedDirectory()
        settings.opensMetrics = try resolved(openMetrics, "open-metrics")

        do throws(ThreadError) {
            // All threads are created now, because the system may refuse them later.
            try HelperThreads.start()
        } catch {
            throw failure("cannot start: \(error)")
        }
        let running = RunningServer()
        let service = PerceptionService(
            settings: settings, logger: logger,
            isReady: running.isReady,
            load: running.load)
        let server = try start(configuration, service.router, service)
        let probes = try probeAddress.map { address in
            try start(.forProbes(at: address, besides: configuration), service.probeRouter, service)
        }
        running.set(server)
        confine(logger)
        if server.address != configuration.address, case .tcp("::", _) = configuration.address,
            case .tcp("0.0.0.0", _) = server.address
        {
            logger.notice("this system has no IPv6: listening on every IPv4 address")
        }
        let besides = probes.map { ", probes on \($0.url)" } ?? ""
        announce("perception-server \(Serve.version) listening on \(server.url)\(besides)")

        try parent?.begin()
        var signal = signals.next()
        while signal == .reload {
            tokens.reload()
            signal = signals.next()
        }
        let finished: Bool
        if let parent, parent.sawEnd {
            logger.info("draining", metadata: ["end_of_file": .stringConvertible(parent.descriptor)])
            finished = server.drain(within: Serve.orphansGrace)
        } else {
            logger.info("draining", metadata: ["signal": "\(signal.rawValue)"])
            finished = server.drain()
        }
        // Until now the probes reported the drain.
        probes?.drain()
        logger.info("stopped", metadata: ["all_requests_finished": "\(finished)"])
    }

    /// The clients have most likely ended with the parent.
    private static let orphansGrace: Duration = .seconds(2)

    /// From here on the process can only answer requests.
    private func confine(_ logger: Logger) {
        do throws(Confinement.Unavailable) {
            try Confinement.begin()
        } catch {
            logger.notice(
                "this system does not let a process give up system calls",
                metadata: ["errno": "\(error.errno)"])
        }
    }

    /// Returns the effective limit, so that metrics and /v1/info report the one that applies.
    /// - Throws: one line if no connection fits.
    private func possibleConnections(_ wanted: Int, besides probes: Int, _ logger: Logger) throws -> Int {
        let possible = OpenFiles.raiseLimit(for: wanted + probes) - probes
        guard possible > 0 else {
            throw failure(
                "the limit of open files (ulimit -n) leaves room for no connection: \(OpenFiles.reserve + probes + 1) are "
                    + "the least")
        }
        if possible < wanted {
            logger.warning(
                "the limit of open files leaves room for fewer connections than --max-connections",
                metadata: ["connections": .stringConvertible(possible), "wanted": .stringConvertible(wanted)])
        }
        return possible
    }

    /// - Throws: one line if the server cannot start.
    private func start(
        _ configuration: ServerConfiguration, _ router: Router, _ service: PerceptionService
    ) throws -> Server {
        do throws(ServerError) {
            return try Server(
                configuration, router: router, render: PerceptionService.render, observer: service.observer)
        } catch {
            throw failure("\(error)")
        }
    }

    /// - Throws: one line if the folder cannot be used.
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

    /// - Throws: one line if this machine lacks the requested set.
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
        let bits = set == .avx512 ? 512 : set == .avx2 ? 256 : 128
        RegisterWidth.limit(toBits: bits)
        RegisterUse.limit(toBits: bits)
    }

    /// - Throws: one line if they cannot be read, or if there are none although others could connect.
    private func makeTokens(beyond addresses: [SocketAddress], _ logger: Logger) throws -> Tokens {
        let path = try resolved(tokenFile, "token-file", "a path")
        let tokens = try Tokens(file: path, environment: environment("PERCEPTION_TOKENS"), logger: logger)
        let exposed = addresses.first { !$0.isLoopback }
        if let exposed, tokens.accepted == nil, try !resolved(insecureNoAuth, "insecure-no-auth") {
            throw failure(
                "refusing to listen on \(exposed) without a token: give --token-file, or --insecure-no-auth if the "
                    + "network is trusted")
        }
        return tokens
    }
}
