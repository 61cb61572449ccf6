import Batches
import HTTP
import HTTPTypes
import Logging
import Observability
import Perception
import TokenDistribution

/// Updates metrics and writes logs. Names and meanings are in ``Metrics``.
struct Instruments: Sendable {
    private let registry = MetricRegistry(Metrics.all)
    private let process = ProcessMetrics()
    private let runs: LabelPool
    private let meter: ExchangeMeter
    private let accessLog: AccessLog

    init(settings: ServiceSettings, logger: Logger) {
        runs = LabelPool(limit: settings.maxRuns)
        meter = ExchangeMeter(registry)
        accessLog = AccessLog(logger: logger)
        registry.series(of: Metrics.build, [ServiceSettings.version, InstructionSet.inUse.rawValue]).set(1)
        registry.series(of: Metrics.memoryBudget).set(Double(settings.server.memoryBudgetBytes))
        registry.series(of: Metrics.slowReaderLimit).set(Double(settings.server.slowReaderBytes))
        registry.series(of: Metrics.mostConnections).set(Double(settings.server.maxConnections))
        registry.series(of: Metrics.workers).set(Double(settings.server.workerThreads))
        let keptBytes = settings.keepRecent == nil ? 0 : settings.keepRecentBytes
        registry.series(of: Metrics.recentBytesLimit).set(Double(keptBytes))
        registry.series(of: Metrics.viewersLimit).set(
            Double(keptBytes == 0 ? 0 : RecentBatches.mostViewers))
        registry.series(of: Metrics.mostQueued).set(Double(settings.server.workQueueLimit))
    }

    func count(images: Int, views: Int) {
        registry.series(of: Metrics.images).add(Double(images))
        registry.series(of: Metrics.views).add(Double(views))
    }

    /// Counts a batch that was answered.
    /// - Returns: the name of its run in metrics; nil if it has no training signals.
    func count(_ reply: TensorReply, run: RunName, route: String) -> String? {
        registry.series(of: Metrics.positions, [route]).add(Double(reply.layout.sequences.tokens))
        guard let signals = reply.signals else { return nil }
        let run = runs.label(run.text)
        signals.add(to: registry, run: run)
        return run
    }

    func observe(_ timer: PhaseTimer, route: String) {
        for (phase, duration) in timer.durations {
            registry.series(of: Metrics.phase, [route, phase.rawValue]).observe(duration.seconds)
        }
    }

    /// Returns the metrics as Prometheus text.
    func text(_ load: ServerLoad, isReady: Bool, recent: RecentBatches.Extent) -> String {
        func set(_ value: Int, _ family: MetricFamily) { registry.series(of: family).set(Double(value)) }
        set(isReady ? 1 : 0, Metrics.ready)
        set(load.inFlight, Metrics.inFlight)
        set(load.connections, Metrics.connections)
        set(load.queued, Metrics.queued)
        set(load.running, Metrics.busyWorkers)
        set(load.memoryBytes, Metrics.memory)
        set(load.slowReaders.count, Metrics.slowReaders)
        set(load.slowReaders.bytes, Metrics.slowReaderMemory)
        set(recent.batches, Metrics.recentBatches)
        set(recent.bytes, Metrics.recentBytes)
        set(recent.viewers, Metrics.viewers)
        set(recent.total - recent.tooLarge, Metrics.keptBatches)
        set(recent.tooLarge, Metrics.batchesTooLarge)
        process.update(registry)
        return registry.text
    }
}

extension Instruments: ServerObserver {
    func requestFinished(_ exchange: Exchange) {
        meter.record(exchange)
        accessLog.record(exchange)
    }

    func libraryReported(_ line: String) {
        accessLog.logger.debug("connection", metadata: ["reason": "\(line)"])
    }
}

extension Exchange {
    /// The `type` of the problem, or that of the server's reason for disconnecting a slow client.
    var problem: String? {
        if let problem = notes.problem { return problem }
        return switch status {
        case .requestTimeout: Problem.Kind.requestTimeout.rawValue
        case .gatewayTimeout: Problem.Kind.deadlineExceeded.rawValue
        default: nil
        }
    }
}

extension Duration {
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
