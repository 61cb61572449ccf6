import HTTP
import HTTPTypes
import Logging
import Observability

/// Every metric of the service, its name and its buckets.
struct Instruments: Sendable {
    private static let requests = MetricFamily(
        "perception_http_requests_total", .counter, labels: ["method", "route", "status"],
        help: "Finished requests; status 0 when no answer was begun.")
    private static let duration = MetricFamily(
        "perception_http_request_duration_seconds",
        // The buckets of OpenTelemetry's http.server.request.duration.
        .histogram(buckets: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]),
        labels: ["route"], help: "From the complete head to the last byte of the answer.")
    private static let phase = MetricFamily(
        "perception_phase_duration_seconds",
        .histogram(buckets: [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]),
        labels: ["route", "phase"], help: "Time spent decoding, computing and encoding.")
    private static let queue = MetricFamily(
        "perception_queue_duration_seconds", .histogram(buckets: [0.0001, 0.001, 0.01, 0.1, 1, 10]),
        help: "Time heavy requests waited for a worker.")
    private static let bytesIn = MetricFamily(
        "perception_http_request_body_bytes_total", .counter, labels: ["route"], help: "Body bytes received.")
    private static let bytesOut = MetricFamily(
        "perception_http_response_body_bytes_total", .counter, labels: ["route"], help: "Body bytes sent.")
    private static let endings = MetricFamily(
        "perception_http_endings_total", .counter, labels: ["ending"], help: "How exchanges ended.")
    private static let inFlight = MetricFamily(
        "perception_http_requests_in_flight", .gauge, help: "Requests whose answer is not complete.")
    private static let connections = MetricFamily(
        "perception_http_connections", .gauge, help: "Open connections.")
    private static let queued = MetricFamily(
        "perception_worker_queue_length", .gauge, help: "Heavy requests waiting for a worker.")
    private static let running = MetricFamily(
        "perception_workers_busy", .gauge, help: "Heavy requests on a worker.")
    private static let bodyBytes = MetricFamily(
        "perception_memory_budget_used_bytes", .gauge, help: "Memory claimed by bodies in flight.")
    private static let budget = MetricFamily(
        "perception_memory_budget_bytes", .gauge, help: "Memory that bodies in flight may claim.")
    private static let images = MetricFamily("perception_images_total", .counter, help: "Images decoded.")
    private static let views = MetricFamily(
        "perception_image_views_total", .counter, help: "Perturbed views made.")
    private static let tokens = MetricFamily(
        "perception_tokens_total", .counter, labels: ["preset", "stage"],
        help: "Tokens of scored responses: response, candidate, selected, gated.")
    private static let info = MetricFamily(
        "perception_build_info", .gauge, labels: ["version"], help: "Always 1.")

    private let registry: MetricRegistry
    private let logger: Logger

    init(settings: ServiceSettings, logger: Logger) {
        self.logger = logger
        registry = MetricRegistry([
            Instruments.requests, Instruments.duration, Instruments.phase, Instruments.queue,
            Instruments.bytesIn,
            Instruments.bytesOut, Instruments.endings, Instruments.inFlight, Instruments.connections,
            Instruments.queued, Instruments.running, Instruments.bodyBytes, Instruments.budget,
            Instruments.images,
            Instruments.views, Instruments.tokens, Instruments.info,
        ])
        registry.set(1, of: Instruments.info, [ServiceSettings.version])
        registry.set(Double(settings.memoryBudgetBytes), of: Instruments.budget)
    }

    func count(images: Int, views: Int) {
        registry.add(Double(images), to: Instruments.images)
        registry.add(Double(views), to: Instruments.views)
    }

    func count(_ diagnostics: Diagnostics, preset: String) {
        for (stage, tokens) in [
            ("response", diagnostics.tokens), ("candidate", diagnostics.candidates),
            ("selected", diagnostics.selected), ("gated", diagnostics.gated),
        ] { registry.add(Double(tokens), to: Instruments.tokens, [preset, stage]) }
    }

    func observe(_ timer: PhaseTimer, route: String) {
        for (phase, duration) in timer.durations {
            registry.observe(duration.seconds, in: Instruments.phase, [route, phase.rawValue])
        }
    }

    func text(_ load: ServerLoad) -> String {
        registry.set(Double(load.inFlight), of: Instruments.inFlight)
        registry.set(Double(load.connections), of: Instruments.connections)
        registry.set(Double(load.queued), of: Instruments.queued)
        registry.set(Double(load.running), of: Instruments.running)
        registry.set(Double(load.bodyBytes), of: Instruments.bodyBytes)
        return registry.text
    }
}

extension Instruments: ServerObserver {
    func requestFinished(_ exchange: Exchange) {
        // Paths that no route has would make labels without end.
        let route = exchange.route ?? "none"
        let method = exchange.route == nil ? "none" : exchange.head?.method.rawValue ?? "none"
        let status = exchange.status.map { String($0.code) } ?? "0"
        registry.add(1, to: Instruments.requests, [method, route, status])
        registry.add(1, to: Instruments.endings, [exchange.ending.rawValue])
        registry.observe(exchange.durations.total.seconds, in: Instruments.duration, [route])
        if exchange.durations.work > .zero {
            registry.observe(exchange.durations.queue.seconds, in: Instruments.queue)
        }
        registry.add(Double(exchange.bytesIn), to: Instruments.bytesIn, [route])
        registry.add(Double(exchange.bytesOut), to: Instruments.bytesOut, [route])
        log(exchange, status)
    }

    /// The access line. Bodies are never logged.
    private func log(_ exchange: Exchange, _ status: String) {
        guard logger.logLevel <= .debug else { return }
        var fields: Logger.Metadata = [
            "status": "\(status)", "bytes_in": "\(exchange.bytesIn)", "bytes_out": "\(exchange.bytesOut)",
            "milliseconds": "\(exchange.durations.total.seconds * 1000)",
            "ending": "\(exchange.ending.rawValue)",
        ]
        if let head = exchange.head {
            fields["method"] = "\(head.method.rawValue)"
            fields["path"] = "\(head.path)"
            fields["request_id"] = "\(head.requestID)"
            if let parent = head.traceparent { fields["traceparent"] = "\(parent)" }
        }
        logger.debug("request", metadata: fields)
    }
}

extension Duration {
    fileprivate var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
