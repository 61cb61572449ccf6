import HTTP
import Images

extension PerceptionService {
    /// The route of pictures. However small, a request is never worked on in place: a few bytes can hold millions of
    /// pixels.
    func pixels(_ path: String) -> Route {
        let endpoint = PerturbEndpoint(
            limits: ImageLimits(maxPixels: settings.maxImagePixels), memoryBudget: settings.memoryBudgetBytes,
            threads: settings.threads)
        return body(path, types: PerturbEndpoint.bodyTypes) { bytes, head in
            .batch { isWanted in
                self.answer(bytes, head, path) { bytes, head, timer throws(Problem) in
                    try endpoint.respond(
                        to: bytes, head: head, instruments: instruments, &timer, isWanted: isWanted)
                }
            }
        }
    }
}
