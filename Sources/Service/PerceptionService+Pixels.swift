import HTTP
import HTTPTypes
import Images

extension PerceptionService {
    /// The route of pictures. However small, a request is never worked on in place: a few bytes can hold millions of
    /// pixels.
    func pixels(_ path: String) -> Route {
        let endpoint = PerturbEndpoint(
            limits: ImageLimits(maxPixels: settings.maxImagePixels), memoryBudget: settings.memoryBudgetBytes,
            threads: settings.threads)
        return Route(.post, path) { head in
            if let refusal = refusal(head, types: PerturbEndpoint.bodyTypes) { return .reply(refusal) }
            let isJSON = head.mediaType == "application/json"
            let limit = isJSON ? settings.maxJSONBodyBytes : settings.maxBodyBytes
            return collect(head, upTo: limit) { bytes in
                .batch { isWanted in
                    answer(head, path) { timer throws(Problem) in
                        try endpoint.respond(
                            to: bytes, head: head, instruments: instruments, &timer, isWanted: isWanted)
                    }
                }
            }
        }
    }
}
