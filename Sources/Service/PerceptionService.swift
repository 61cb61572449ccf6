package import HTTP
import HTTPTypes
import Images
import JSON
package import Logging
import Perturbation

/// The service as values: routes, the rendering of refusals, and an observer. It knows no socket.
package struct PerceptionService: Sendable {
    let settings: ServiceSettings
    let instruments: Instruments
    /// Nil where none are kept.
    let recent: RecentBatches?
    let isReady: @Sendable () -> Bool
    private let load: @Sendable () -> ServerLoad
    private let authorization: Authorization

    /// - Parameters: functions that return whether the server accepts work, and its load. Both are called at every
    ///   use.
    package init(
        settings: ServiceSettings, logger: Logger, isReady: @escaping @Sendable () -> Bool,
        load: @escaping @Sendable () -> ServerLoad
    ) {
        self.settings = settings
        self.isReady = isReady
        self.load = load
        recent = settings.keepRecent.map { RecentBatches(perRun: $0, bytes: settings.keepRecentBytes) }
        instruments = Instruments(settings: settings, logger: logger)
        authorization = Authorization(
            tokens: settings.tokens, openPaths: settings.openPaths)
    }

    /// All routes, behind the gate that checks the token. A new route is guarded automatically.
    package var router: Router { Router(routes, gate: authorization.refusal, fields: RunName.status) }
    /// The routes of the probe port, for clients that watch the server without TLS; behind the same gate.
    package var probeRouter: Router { Router(probes, gate: authorization.refusal) }
    package var observer: any ServerObserver { instruments }

    /// Renders refusals of the HTTP module as problem+json.
    package static let render: RefusalRenderer = { refusal, head in
        Problem(refusal).response(requestID: head?.requestID)
    }

    /// The largest body of numbers to process in place, because a hand-over would cost more than the work. Pictures
    /// are never processed in place: a few bytes can hold millions of pixels.
    static let lightBodyBytes = 32 << 10
    /// The size of a body from which work takes tens of milliseconds or more. 8 × 4,096 tokens are 0.7 MB.
    static let longBodyBytes = 4 << 20

    /// Returns the approximate duration of work that grows with its body, at 100 MB a second, the rate of reading and
    /// scoring numbers. It determines the order of long work.
    static func readingTime(of bytes: Int) -> Duration { .seconds(Double(bytes) / 1e8) }

    /// Returns the route of an operation on tensors, in JSON or safetensors.
    func numbers<Operation: TensorOperation & SendableMetatype>(_ path: String, _ operation: Operation.Type)
        -> Route
    {
        Route(.post, path) { head in
            do throws(Problem) {
                return try TensorExchange<Operation>(self, path: path, head: head).opening()
            } catch {
                return .reply(error.response(requestID: head.requestID))
            }
        }
    }

    /// Returns the refusal of a request by its header; nil if it may pass.
    /// - Parameter types: the media types that the route reads; nil for requests without a body.
    func refusal(_ head: RequestHead, types: [MediaType]?) -> Response? {
        guard let types else { return nil }
        guard let type = head.mediaType, types.contains(type) else {
            let problem = Problem(
                .unsupportedMediaType,
                Problem.Reason(
                    "the operation does not read this media type", field: "Content-Type",
                    expected: types.map(\.rawValue).joined(separator: ", "),
                    found: head.mediaTypeName ?? "none"))
            return problem.response(requestID: head.requestID)
        }
        return nil
    }

    /// Collects a body and then works on it.
    func collect(
        _ head: RequestHead, upTo limit: Int,
        _ outcome: @escaping @Sendable ([UInt8], RequestScope) -> Outcome
    ) -> Opening {
        if let length = head.contentLength, length > limit {
            return .reply(PerceptionService.tooLarge(limit, declared: length, received: 0, head))
        }
        return .sink(
            BufferedBody(for: head) { bytes, scope in
                guard bytes.count <= limit else {
                    return .reply(
                        PerceptionService.tooLarge(limit, declared: nil, received: bytes.count, head))
                }
                return outcome(bytes, scope)
            })
    }

    /// Runs light work in place, other work on a worker, and long work on one that yields to others.
    func outcome(
        of heldBytes: Int, inPlaceUpTo lightBytes: Int, _ work: @escaping @Sendable () -> Response
    ) -> Outcome {
        if heldBytes < lightBytes { return .reply(work()) }
        return heldBytes < Self.longBodyBytes
            ? .work(work) : .longWork(work, expected: Self.readingTime(of: heldBytes))
    }

    private static func tooLarge(_ limit: Int, declared: Int?, received: Int, _ head: RequestHead) -> Response
    {
        render(.bodyTooLarge(limit: limit, declared: declared, received: received), head)
    }

    /// - Parameter before: the time spent while the request arrived.
    func answer(
        _ head: RequestHead, _ path: String, before: [PhaseTimer.Phase: Duration] = [:],
        _ work: (inout PhaseTimer) throws(Problem) -> Response
    ) -> Response {
        var timer = PhaseTimer(before: before)
        do throws(Problem) {
            var response = try work(&timer)
            response.headers[.serverTiming] = timer.serverTiming
            response.notes.phases = timer.durations.map { ($0.phase.rawValue, $0.duration) }
            instruments.observe(timer, route: path)
            return response
        } catch {
            var response = error.response(requestID: head.requestID)
            if error.kind == .busy {
                response.headers[.retryAfter] = String(settings.server.retryAfter.components.seconds)
            }
            return response
        }
    }

    /// Returns a GET route with a constant answer.
    func page(
        _ path: String, contentType: String, _ bytes: @autoclosure @escaping @Sendable () -> [UInt8]
    ) -> Route {
        Route(.get, path) { _ in .reply(Response(contentType: contentType, body: bytes())) }
    }

    func status(_ path: String, _ word: String, _ isTrue: @escaping @Sendable () -> Bool) -> Route {
        Route(.get, path) { head in
            guard isTrue() else {
                return .reply(notReady.response(head))
            }
            let body: JSONValue = ["status": .string(word)]
            return .reply(Response(.json, body: [body.bytes]))
        }
    }

    /// The refusal of /readyz: a full queue, otherwise a drain. The probe port reports both, too.
    private var notReady: Refusal {
        let limit = settings.server.workQueueLimit
        return load().queued >= limit
            ? .busy(.queue(limit), retryAfter: .seconds(1)) : .draining(retryAfter: .seconds(1))
    }

    func metrics(_ path: String) -> Route {
        Route(.get, path) { _ in
            .reply(
                Response(
                    text: instruments.text(load(), isReady: isReady(), recent: recent?.extent ?? .init()),
                    contentType: "text/plain; version=0.0.4"))
        }
    }
}

extension Refusal {
    /// The answer of the HTTP module to this refusal, for endpoints that refuse in the same words.
    fileprivate func response(_ head: RequestHead) -> Response {
        var response = PerceptionService.render(self, head)
        for field in fields { response.headers[field.name] = field.value }
        return response
    }
}
