package import HTTP
import HTTPTypes
import Images
import JSON
package import Logging
import Perturbation

/// The service as values: routes to serve, how refusals are rendered, and who observes. It knows no socket.
package struct PerceptionService: Sendable {
    let settings: ServiceSettings
    let instruments: Instruments
    let isReady: @Sendable () -> Bool
    private let load: @Sendable () -> ServerLoad
    private let authorization: Authorization

    /// - Parameters: whether the server takes work, and what it is doing; both asked at every use.
    package init(
        settings: ServiceSettings, logger: Logger, isReady: @escaping @Sendable () -> Bool,
        load: @escaping @Sendable () -> ServerLoad
    ) {
        self.settings = settings
        self.isReady = isReady
        self.load = load
        instruments = Instruments(settings: settings, logger: logger)
        authorization = Authorization(tokens: settings.tokens)
    }

    package var router: Router { Router(routes) }
    package var observer: any ServerObserver { instruments }

    /// Renders what the HTTP module refuses as problem+json.
    package static let render: RefusalRenderer = { refusal, head in
        Problem(refusal).response(requestID: head?.requestID)
    }

    /// Numbers in bodies up to this size are worked on in place: handing them over would cost more than the work.
    private static let lightBodyBytes = 32 << 10

    /// An operation on tensors, in JSON or safetensors.
    func numbers<Operation: TensorOperation & SendableMetatype>(_ path: String, _ operation: Operation.Type)
        -> Route
    {
        body(path, types: TensorEncoding.mediaTypes, inPlaceUpTo: PerceptionService.lightBodyBytes) {
            bytes, head, timer throws(Problem) in
            let encoding = TensorEncoding(head)
            let request = try encoding.request(bytes, schema: Operation.schema)
            timer.end(.decode)
            let context = OperationContext(query: head.query, memoryBudget: settings.memoryBudgetBytes)
            let reply = try Operation.reply(to: request, context: context)
            timer.end(.compute)
            if let diagnostics = reply.diagnostics {
                instruments.count(diagnostics, preset: reply.preset ?? "none")
            }
            defer { timer.end(.encode) }
            return encoding.response(reply)
        }
    }

    typealias Work = @Sendable ([UInt8], RequestHead, inout PhaseTimer) throws(Problem) -> Response

    /// A POST route whose body is collected, then worked on: in place when it is small, else by a worker.
    private func body(
        _ path: String, types: [String], inPlaceUpTo lightBytes: Int, _ work: @escaping Work
    ) -> Route {
        body(path, types: types) { bytes, head in
            let answer: @Sendable () -> Response = { self.answer(bytes, head, path, work) }
            return bytes.count < lightBytes ? .reply(answer()) : .work(answer)
        }
    }

    /// A POST route whose body is collected.
    func body(
        _ path: String, types: [String], _ outcome: @escaping @Sendable ([UInt8], RequestHead) -> Outcome
    ) -> Route {
        Route(.post, path) { head in
            if let refusal = authorization.refusal(head) { return .reply(refusal) }
            guard let type = head.mediaType, types.contains(type) else {
                let problem = Problem(
                    .unsupportedMediaType,
                    Problem.Reason(
                        "not read here", field: "Content-Type", expected: types.joined(separator: ", "),
                        found: head.mediaType ?? "none"))
                return .reply(problem.response(requestID: head.requestID))
            }
            let limit = type == "application/json" ? settings.maxJSONBodyBytes : settings.maxBodyBytes
            if let length = head.contentLength, length > limit {
                return .reply(PerceptionService.tooLarge(limit, declared: length, received: 0, head))
            }
            return .sink(
                BufferedBody(for: head) { bytes in
                    guard bytes.count <= limit else {
                        return .reply(
                            PerceptionService.tooLarge(limit, declared: nil, received: bytes.count, head))
                    }
                    return outcome(bytes, head)
                })
        }
    }

    private static func tooLarge(_ limit: Int, declared: Int?, received: Int, _ head: RequestHead) -> Response
    {
        render(.bodyTooLarge(limit: limit, declared: declared, received: received), head)
    }

    func answer(_ bytes: [UInt8], _ head: RequestHead, _ path: String, _ work: Work) -> Response {
        var timer = PhaseTimer()
        do throws(Problem) {
            var response = try work(bytes, head, &timer)
            response.headers[.serverTiming] = timer.serverTiming
            instruments.observe(timer, route: path)
            return response
        } catch {
            return error.response(requestID: head.requestID)
        }
    }

    /// A GET route whose answer never changes.
    func page(
        _ path: String, contentType: String, guarded: Bool = true,
        _ bytes: @autoclosure @escaping @Sendable () -> [UInt8]
    ) -> Route {
        Route(.get, path) { head in
            if guarded, let refusal = authorization.refusal(head) { return .reply(refusal) }
            return .reply(Response(contentType: contentType, body: bytes()))
        }
    }

    func status(_ path: String, _ word: String, _ isTrue: @escaping @Sendable () -> Bool) -> Route {
        Route(.get, path) { head in
            guard isTrue() else {
                return .reply(Refusal.busy(retryAfter: .seconds(1)).response(head))
            }
            let body: JSONValue = ["status": .string(word)]
            return .reply(Response(contentType: "application/json", body: body.bytes))
        }
    }

    func metrics(_ path: String) -> Route {
        Route(.get, path) { head in
            if let refusal = authorization.refusal(head) { return .reply(refusal) }
            return .reply(Response(text: instruments.text(load()), contentType: "text/plain; version=0.0.4"))
        }
    }
}

extension Refusal {
    /// As the HTTP module answers it, for endpoints that refuse in the same words.
    fileprivate func response(_ head: RequestHead) -> Response {
        var response = PerceptionService.render(self, head)
        for field in fields { response.headers[field.name] = field.value }
        return response
    }
}
