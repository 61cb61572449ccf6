import HTTP
import HTTPTypes
import Logging

/// Writes one record for each finished request: client, result and durations. It logs no bodies, queries or tokens.
struct AccessLog: Sendable {
    let logger: Logger

    /// Paths that are requested every few seconds. They are logged only on failure.
    private static let probes: Set<String> = ["/healthz", "/readyz", "/metrics"]

    /// The reason of an answer that was ended to free memory; see ``Exchange/Ending/crowdedOut``.
    private static let crowdedOut =
        "memory is short: this answer was read the slowest of those that hold more than slow_reader_bytes, or waited for memory"

    func record(_ exchange: Exchange) {
        let level = level(exchange)
        guard logger.logLevel <= level else { return }
        logger.log(level: level, "request", metadata: fields(exchange))
    }

    /// Returns the level: `error` if an operator must act, `warning` if the server refused or abandoned a request, and
    /// `info` for everything else, including mistakes of clients.
    private func level(_ exchange: Exchange) -> Logger.Level {
        let status = exchange.status?.code ?? 0
        switch exchange.ending {
        case .abandoned, .crowdedOut, .timeout: return .warning
        // A connection that opens and closes without a request, as port checks do, is not logged.
        case .clientGone: return exchange.head == nil ? .debug : .info
        case .completed: break
        }
        if AccessLog.probes.contains(exchange.route ?? "") { return .debug }
        return switch status {
        case 503, 504, 507: .warning
        case 500...: .error
        default: .info
        }
    }

    private func fields(_ exchange: Exchange) -> Logger.Metadata {
        var fields: Logger.Metadata = [
            "status": .stringConvertible(exchange.status?.code ?? 0),
            "bytes_in": .stringConvertible(exchange.bytesIn),
            "bytes_out": .stringConvertible(exchange.bytesOut),
            "duration_ms": milliseconds(exchange.durations.total),
            "ending": .string(exchange.ending.rawValue),
        ]
        if exchange.ending == .crowdedOut { fields["reason"] = .string(AccessLog.crowdedOut) }
        if let client = exchange.client { fields["client"] = .string(client) }
        if exchange.bytesIn > 0 { fields["receive_ms"] = milliseconds(exchange.durations.receive) }
        if exchange.wasQueued { fields["queue_ms"] = milliseconds(exchange.durations.queue) }
        for phase in exchange.notes.phases { fields["\(phase.name)_ms"] = milliseconds(phase.duration) }
        if let problem = exchange.problem { fields["problem"] = .string(problem) }
        guard let head = exchange.head else { return fields }
        fields["method"] = .string(head.method.rawValue)
        // An unknown path may be as long as a target and contain text that was not meant for logs.
        fields["path"] = .string(exchange.route ?? head.path.clipped(to: 256))
        fields["request_id"] = .string(head.requestID)
        if let run = RunName(head) { fields["run"] = .string(run.text) }
        if let parts = head.traceparent?.split(separator: "-") {
            fields["trace_id"] = .string(String(parts[1]))
            fields["parent_span_id"] = .string(String(parts[2]))
        }
        return fields
    }

    /// Rounds to microseconds.
    private func milliseconds(_ duration: Duration) -> Logger.MetadataValue {
        .stringConvertible((duration.seconds * 1e6).rounded() / 1e3)
    }
}
