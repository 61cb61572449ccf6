import ContrastiveLoss
import HTTP
import HTTPTypes
import Images
import JSON
import Perturbation
import Tensor
import TokenDistribution

extension PerceptionService {
    /// Facts about this server: version, limits, formats.
    var info: [UInt8] {
        func list(_ words: [String]) -> JSONValue { .array(words.map { .string($0) }) }
        func types(_ types: [MediaType]) -> JSONValue { list(types.map(\.rawValue)) }
        let info: JSONValue = [
            "name": "perception-server",
            "version": .string(ServiceSettings.version),
            "instruction_set": .string(InstructionSet.inUse.rawValue),
            "threads": .integer(Int64(settings.server.workerThreads)),
            "tls": .bool(settings.server.tls != nil),
            "shared_files": .bool(settings.sharedDirectory != nil),
            "limits": limits,
            "formats": [
                "requests": types(
                    TensorEncoding.mediaTypes
                        + PerturbEndpoint.bodyTypes.filter { !TensorEncoding.mediaTypes.contains($0) }),
                "replies": types([.json, .safetensors, .mixed, .png, .jpeg, .bytes]),
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

    /// Every limit by the name of its option.
    private var limits: JSONValue {
        let server = settings.server
        let counts = [
            ("max_body_bytes", server.maxBodyBytes),
            ("max_streamed_body_bytes", settings.maxStreamedBodyBytes),
            ("max_json_body_bytes", settings.maxJSONBodyBytes),
            ("memory_budget_bytes", server.memoryBudgetBytes),
            ("slow_reader_bytes", server.slowReaderBytes),
            ("max_image_pixels", settings.maxImagePixels),
            ("max_connections", server.maxConnections),
            ("queue_limit", server.workQueueLimit),
            ("max_header_bytes", server.maxHeaderBytes),
            ("max_target_bytes", server.maxTargetBytes),
            ("min_bytes_per_second", server.minimumBytesPerSecond),
            ("max_runs", settings.maxRuns),
            ("keep_recent", settings.keepRecent ?? 0),
            ("keep_recent_bytes", settings.keepRecent == nil ? 0 : settings.keepRecentBytes),
        ]
        let times = [
            ("header_timeout_seconds", server.headerTimeout),
            ("body_timeout_seconds", server.bodyDeadline),
            ("idle_timeout_seconds", server.idleTimeout),
            ("request_timeout_seconds", server.requestTimeout),
            ("retry_after_seconds", server.retryAfter),
            ("shutdown_grace_seconds", server.drainGrace),
        ]
        return .object(
            counts.map { .init($0, .integer(Int64($1))) }
                + times.map { .init($0, .integer($1.components.seconds)) })
    }
}
