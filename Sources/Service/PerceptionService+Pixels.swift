import HTTP
import HTTPTypes
import Images

extension PerceptionService {
    /// The route of pictures. However small, a request is never worked on in place: a few bytes can hold millions of
    /// pixels.
    func pixels(_ path: String) -> Route {
        let endpoint = PerturbEndpoint(
            limits: ImageLimits(maxPixels: settings.maxImagePixels),
            memoryBudget: settings.server.memoryBudgetBytes,
            threads: settings.server.workerThreads)
        return Route(.post, path) { head in
            if let refusal = refusal(head, types: PerturbEndpoint.bodyTypes) { return .reply(refusal) }
            let isJSON = head.mediaType == "application/json"
            let limit = isJSON ? settings.maxJSONBodyBytes : settings.server.maxBodyBytes
            return collect(head, upTo: limit) { bytes, scope in
                .longWork {
                    answer(head, path) { timer throws(Problem) in
                        try endpoint.respond(
                            to: bytes, head: head, instruments: instruments, scope, &timer)
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
                .longWork {
                    answer(head, path) { timer throws(Problem) in
                        try endpoint.respond(
                            to: hasBody ? bytes : nil, name: name, head: head, instruments: instruments,
                            scope,
                            &timer)
                    }
                }
            }
        }
    }
}
