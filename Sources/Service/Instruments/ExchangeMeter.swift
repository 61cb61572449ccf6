import HTTP
import HTTPTypes
import Locking
import Observability

/// Counts finished requests. It runs on I/O threads for every request, so it looks its series up once for each
/// combination of labels and keeps them.
final class ExchangeMeter: Sendable {
    private struct Key: Hashable, Sendable {
        let method: String
        let route: String
        let status: Int
    }

    private struct Meters: Sendable {
        let requests, duration, bytesIn, bytesOut, receive, queue: MetricSeries
    }

    private let registry: MetricRegistry
    private let known = Monitor<[Key: Meters]>([:])

    init(_ registry: MetricRegistry) { self.registry = registry }

    func record(_ exchange: Exchange) {
        // Unknown paths and their methods would create an unlimited number of labels.
        let isRouted = exchange.route != nil
        let meters = meters(
            Key(
                method: isRouted ? exchange.head?.method.rawValue ?? "none" : "none",
                route: exchange.route ?? "none", status: exchange.status?.code ?? 0))
        meters.requests.add(1)
        meters.duration.observe(exchange.durations.total.seconds)
        meters.bytesIn.add(Double(exchange.bytesIn))
        meters.bytesOut.add(Double(exchange.bytesOut))
        if exchange.bytesIn > 0 { meters.receive.observe(exchange.durations.receive.seconds) }
        if exchange.wasQueued { meters.queue.observe(exchange.durations.queue.seconds) }
        registry.series(of: Metrics.endings, [exchange.ending.rawValue]).add(1)
        if let problem = exchange.problem { registry.series(of: Metrics.problems, [problem]).add(1) }
    }

    private func meters(_ key: Key) -> Meters {
        known.withLock { known in
            if let meters = known[key] { return meters }
            let meters = Meters(
                requests: registry.series(
                    of: Metrics.requests, [key.method, key.route, String(key.status)]),
                duration: registry.series(of: Metrics.duration, [key.route, String(key.status)]),
                bytesIn: registry.series(of: Metrics.bytesIn, [key.route]),
                bytesOut: registry.series(of: Metrics.bytesOut, [key.route]),
                receive: registry.series(of: Metrics.phase, [key.route, "receive"]),
                queue: registry.series(of: Metrics.phase, [key.route, "queue"]))
            known[key] = meters
            return meters
        }
    }
}

extension Exchange {
    /// Whether a worker computed the answer. Light requests are answered on the I/O thread.
    var wasQueued: Bool { durations.work > .zero }
}
