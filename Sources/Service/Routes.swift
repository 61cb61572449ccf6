import ContractJSON
import HTTP
import HTTPTypes

extension PerceptionService {
    /// The routes of every path in the contract.
    var routes: [Route] {
        [
            numbers("/v1/score", ScoreEndpoint.self),
            numbers("/v1/entropy", EntropyEndpoint.self),
            numbers("/v1/mask", MaskEndpoint.self),
            numbers("/v1/advantages", AdvantagesEndpoint.self),
            pixels("/v1/perturb"),
            page("/v1/presets", contentType: MediaType.json.rawValue, Catalogue.presets),
            page("/v1/recipes", contentType: MediaType.json.rawValue, Catalogue.recipes),
            preview(.get, "/v1/recipes/{name}/preview"),
            preview(.post, "/v1/recipes/{name}/preview"),
            page("/v1/info", contentType: MediaType.json.rawValue, info),
            page("/openapi.yaml", contentType: "application/yaml", Contract.text),
            page("/openapi.json", contentType: MediaType.json.rawValue, ContractJSON.bytes),
            page("/llms.txt", contentType: "text/plain; charset=utf-8", Overview.bytes),
            ClientDownload.listing("/client/"),
            ClientDownload.wheel("/client/{wheel}"),
        ] + liveRoutes + PageRoutes.all + probes
    }

    /// The routes of probes, which ask every few seconds.
    var probes: [Route] {
        [
            status("/healthz", "live") { true },
            status("/readyz", "ready", isReady),
            metrics("/metrics"),
        ]
    }
}
