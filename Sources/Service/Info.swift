import ContrastiveLoss
import HTTP
import HTTPTypes
import Images
import JSON
import Perturbation
import Tensor
import TokenDistribution

extension PerceptionService {
    /// What runs here: version, limits, formats.
    var info: [UInt8] {
        func list(_ words: [String]) -> JSONValue { .array(words.map { .string($0) }) }
        let info: JSONValue = [
            "name": "perception-server",
            "version": .string(ServiceSettings.version),
            "instruction_set": .string(InstructionSet.inUse.rawValue),
            "threads": .integer(Int64(settings.threads)),
            "tls": .bool(settings.speaksTLS),
            "shared_files": .bool(settings.sharedDirectory != nil),
            "limits": [
                "max_body_bytes": .integer(Int64(settings.maxBodyBytes)),
                "max_streamed_body_bytes": .integer(Int64(settings.maxStreamedBodyBytes)),
                "max_json_body_bytes": .integer(Int64(settings.maxJSONBodyBytes)),
                "memory_budget_bytes": .integer(Int64(settings.memoryBudgetBytes)),
                "max_image_pixels": .integer(Int64(settings.maxImagePixels)),
                "max_connections": .integer(Int64(settings.maxConnections)),
                "queue_limit": .integer(Int64(settings.queueLimit)),
                "max_runs": .integer(Int64(settings.maxRuns)),
            ],
            "formats": [
                "requests": list(TensorEncoding.mediaTypes + PerturbEndpoint.bodyTypes.dropFirst()),
                "replies": list([
                    "application/json", "application/x-safetensors", "multipart/mixed", "image/png",
                    "image/jpeg",
                    "application/octet-stream",
                ]),
                "images_in": list(ImageFormat.allCases.map(\.rawValue)),
                "images_out": list(PerturbSettings.Format.allCases.map(\.rawValue)),
                "element_types": list(ElementType.allCases.map(\.rawValue)),
            ],
            "presets": list(Preset.allCases.map(\.rawValue)),
            "recipes": list(RecipeCatalogue.all.map(\.name)),
            "estimators": list(Estimator.allCases.map(\.rawValue)),
            "libraries": .object(
                (CodecLibraries.versions + [ServerLibrary.version]).map {
                    .init($0.name, .string($0.version))
                }),
            "routes": .array(
                routes.map { ["method": .string($0.method.rawValue), "path": .string($0.path)] }),
        ]
        return info.bytes
    }
}
