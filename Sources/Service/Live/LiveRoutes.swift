import HTTP
import HTTPTypes
import JSON

extension PerceptionService {
    /// The routes that supply `/live`. They answer 404 if no batches are kept.
    var liveRoutes: [Route] {
        [
            live("/v1/live") { recent, head in
                .reply(Response(.json, body: [recent.json.bytes]))
            },
            live("/v1/live/batches/{batch}") { recent, head in
                .sink(
                    AbsentBody(
                        for: head,
                        reason: Problem.Reason("a request for a batch has no body", field: "body")
                    ) { scope in .work { batch(head, recent, scope) } })
            },
            live("/v1/live/events") { recent, head in .reply(events(head, recent)) },
        ]
    }

    private func live(
        _ path: String, _ answer: @escaping @Sendable (RecentBatches, RequestHead) -> Opening
    ) -> Route {
        Route(.get, path) { head in
            if let problem = SiteGuard(publicHosts: settings.publicHosts).problem(head) {
                return .reply(problem.response(requestID: head.requestID))
            }
            guard let recent else {
                let problem = Problem(
                    .notFound, "this server keeps no batches; start it with --keep-recent",
                    field: "path")
                return .reply(problem.response(requestID: head.requestID))
            }
            return answer(recent, head)
        }
    }

    private func batch(_ head: RequestHead, _ recent: RecentBatches, _ scope: RequestScope) -> Response {
        answer(head, "/v1/live/batches/{batch}") { timer throws(Problem) in
            let name = head.path.split(separator: "/").last.map(String.init) ?? ""
            guard let batch = Int(name).flatMap(recent.batch) else {
                throw Problem(
                    .notFound,
                    Problem.Reason("this batch is not, or no longer, kept", field: "path", found: name))
            }
            let encoding = TensorEncoding(ofReply: head, offers: [.json, .safetensors])
            try scope.claimMemory(batch.replyBytes(in: encoding))
            let reply = batch.whole(in: encoding)
            timer.end(.compute)
            defer { timer.end(.encode) }
            return encoding.response(reply)
        }
    }

    private func events(_ head: RequestHead, _ recent: RecentBatches) -> Response {
        // The body has no end, and the answer to HEAD has no body.
        if head.method == .head { return Response(headers: [.contentType: "text/event-stream"]) }
        guard let stream = recent.feed.open(after: head.headers[.lastEventID]) else {
            let limit = RecentBatches.mostViewers
            var response = Problem(
                .busy, Problem.Reason("the limit of viewers is reached", expected: "at most \(limit)"),
                limit: limit, limitName: "viewers"
            ).response(requestID: head.requestID)
            response.headers[.retryAfter] = String(settings.server.retryAfter.components.seconds)
            return response
        }
        var response = Response(headers: [.contentType: "text/event-stream"])
        // Without this field nginx would buffer events.
        response.headers[.accelBuffering] = "no"
        response.events = stream
        return response
    }
}

extension HTTPField.Name {
    fileprivate static let lastEventID = name("Last-Event-ID")
    fileprivate static let accelBuffering = name("X-Accel-Buffering")
}
