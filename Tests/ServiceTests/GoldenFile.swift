import HTTP
import HTTPTypes
import JSON
import Logging
import Service
import SharedFiles
import Tensor
import TestMaterial
import Testing

/// A golden file: a request as a client would send it, beside what must come back (Tests/Golden/README.md).
struct GoldenFile: Sendable, CustomTestStringConvertible {
    let name: String
    let file: Safetensors

    /// All golden files of one folder, in the order of their names.
    static func all(in folder: String) -> [GoldenFile] {
        GoldenFolder.names(in: folder, ending: ".safetensors").compactMap { name in
            guard let file = try? Safetensors(parsing: GoldenFolder.bytes(of: "\(folder)/\(name)")) else {
                return nil
            }
            return GoldenFile(name: String(name.dropLast(".safetensors".count)), file: file)
        }
    }

    var testDescription: String { name }

    /// The request's own part of the file.
    var request: [UInt8] {
        var writer = SafetensorsWriter()
        writer.setMetadata("options", file.metadata["options"] ?? "{}")
        for name in file.names where !name.hasPrefix("expect.") {
            guard let tensor = file.tensors[name] else { continue }
            writer.append(name, tensor.elementType, shape: tensor.shape, bytes: tensor.bytes)
        }
        return writer.segments().flatMap { $0 }
    }

    /// Expected tensors by the name they have in the reply.
    var expected: [(name: String, tensor: DenseTensor)] {
        file.names.filter { $0.hasPrefix("expect.") }.compactMap { name in
            file.tensors[name].map { (String(name.dropFirst("expect.".count)), $0) }
        }
    }

    /// Expected scalars.
    var scalars: JSONValue { (try? JSONValue(parsing: file.metadata["expect"] ?? "{}")) ?? .null }
}

/// The service without a socket.
struct TestService {
    let service: PerceptionService

    init(
        tokens: BearerTokens? = nil, opensMetrics: Bool = false, memoryBudgetBytes: Int = 4 << 30,
        maxRuns: Int = 64, maxImagePixels: Int = 50_000_000,
        sharedDirectory: SharedDirectory? = nil, keepRecent: Int? = nil, keepRecentBytes: Int = 64 << 20,
        publicHosts: [String] = []
    ) {
        var settings = ServiceSettings()
        settings.server.memoryBudgetBytes = memoryBudgetBytes
        settings.maxRuns = maxRuns
        settings.maxImagePixels = maxImagePixels
        settings.tokens = tokens
        settings.sharedDirectory = sharedDirectory
        settings.opensMetrics = opensMetrics
        settings.keepRecent = keepRecent
        settings.keepRecentBytes = keepRecentBytes
        settings.publicHosts = publicHosts
        service = PerceptionService(
            settings: settings,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            isReady: { true }, load: { .idle })
    }

    func post(_ target: String, _ body: [UInt8], type: String = "application/x-safetensors") throws
        -> Response
    {
        let head = try RequestHead(
            method: "POST", target: target,
            headers: [
                .contentType: type, .contentLength: "\(body.count)", try #require(.init("Host")): "localhost",
            ])
        return service.router.respond(to: head, body: body, render: PerceptionService.render)
    }
}

extension Response {
    var bytes: [UInt8] { body.flatMap { $0 } }
    var text: String { String(decoding: bytes, as: UTF8.self) }
}
