import HTTP
import HTTPTypes
import Images

extension PerceptionService {
    /// The route of pictures. However small, a request is never worked on in place: a few bytes can hold millions of
    /// pixels.
    func pixels(_ path: String) -> Route {
        let endpoint = PerturbEndpoint(
            limits: ImageLimits(maxPixels: settings.maxImagePixels),
            memoryBudget: settings.server.memoryBudgetBytes)
        return Route(.post, path) { head in
            if let refusal = refusal(head, types: PerturbEndpoint.bodyTypes) { return .reply(refusal) }
            let isJSON = head.mediaType == .json
            let limit = isJSON ? settings.maxJSONBodyBytes : settings.server.maxBodyBytes
            return collect(head, upTo: limit) { bytes, scope in
                weighed(head, path, bytes.count) { () throws(Problem) in
                    let work = try endpoint.work(bytes, head: head, scope)
                    return Weighing(work.cost) { timer throws(Problem) in
                        try endpoint.respond(to: work, instruments: instruments, scope, &timer)
                    }
                }
            }
        }
    }

    /// A contact sheet of the recipe that the path names, of the built-in picture (GET) or the body's (POST).
    func preview(_ method: HTTPRequest.Method, _ path: String) -> Route {
        let endpoint = PreviewEndpoint(
            limits: ImageLimits(maxPixels: settings.maxImagePixels),
            memoryBudget: settings.server.memoryBudgetBytes)
        let template = PathTemplate(path)
        let hasBody = method == .post
        return Route(method, path) { head in
            if let refusal = refusal(head, types: hasBody ? PreviewEndpoint.bodyTypes : nil) {
                return .reply(refusal)
            }
            let name = template?.parameter(in: head.path) ?? ""
            return collect(head, upTo: hasBody ? settings.server.maxBodyBytes : 0) { bytes, scope in
                weighed(head, path, bytes.count) { () throws(Problem) in
                    let work = try endpoint.work(hasBody ? bytes : nil, name: name, head: head, scope)
                    return Weighing(work.cost) { timer throws(Problem) in
                        try endpoint.respond(to: work, instruments: instruments, scope, &timer)
                    }
                }
            }
        }
    }

    /// What is left to be done with a request that was read.
    private struct Weighing: Sendable {
        let cost: WorkCost
        let rest: @Sendable (inout PhaseTimer) throws(Problem) -> Response

        init(
            _ cost: WorkCost, rest: @escaping @Sendable (inout PhaseTimer) throws(Problem) -> Response
        ) {
            self.cost = cost
            self.rest = rest
        }
    }

    /// Reads a request on a thread for short work, and does there what turns out to be short. A large body is long to read.
    private func weighed(
        _ head: RequestHead, _ path: String, _ bodyBytes: Int,
        _ read: @escaping @Sendable () throws(Problem) -> Weighing
    ) -> Outcome {
        if bodyBytes >= Self.longBodyBytes {
            return .longWork(
                { answer(head, path) { timer throws(Problem) in try read().rest(&timer) } },
                expected: Self.readingTime(of: bodyBytes))
        }
        return .weighedWork {
            let begun = ContinuousClock.now
            let weighing: Weighing
            do throws(Problem) {
                weighing = try read()
            } catch {
                let problem = error
                return .response(answer(head, path) { _ throws(Problem) in throw problem })
            }
            let reading = ContinuousClock.now - begun
            let work: @Sendable () -> Response = {
                answer(head, path, before: [.decode: reading], weighing.rest)
            }
            return weighing.cost.isShort
                ? .response(work()) : .longWork(work, expected: weighing.cost.expected)
        }
    }
}
