import HTTP
import HTTPTypes
import Logging
import Service

/// One entry point of the server as bytes from a stranger reach it: the whole way of a request, without a socket.
enum FuzzTarget: String, CaseIterable {
    case jpeg
    case png
    case multipart
    case recipe
    case scoreJSON = "score-json"
    case scoreSafetensors = "score-safetensors"
    case entropySafetensors = "entropy-safetensors"
    case head

    /// Sends the bytes and checks the answer; every answer is the client's fault or a result.
    func run(_ bytes: [UInt8]) {
        switch self {
        case .jpeg: post("/v1/perturb?steps=%5B%5D&format=raw", "image/jpeg", bytes)
        case .png:
            post(
                "/v1/perturb?recipe=cppo-removing&seed=1&format=raw&allow_truncated=true", "image/png", bytes)
        case .multipart: post("/v1/perturb", "multipart/form-data; boundary=edge", bytes)
        case .recipe: post("/v1/perturb", "application/json", bytes)
        case .scoreJSON: post("/v1/score", "application/json", bytes)
        case .scoreSafetensors: post("/v1/score?return=mask", "application/x-safetensors", bytes)
        case .entropySafetensors: post("/v1/entropy", "application/x-safetensors", bytes)
        case .head: FuzzTarget.head(bytes)
        }
    }

    private static let service = PerceptionService(
        settings: settings,
        logger: Logger(label: "fuzz", factory: { (_: String) -> any LogHandler in SwiftLogNoOpLogHandler() }),
        isReady: { true }, load: { .idle })
    private static let router = service.router

    /// Small limits: a fuzzer shall spend its time on parsing.
    private static var settings: ServiceSettings {
        var settings = ServiceSettings()
        settings.server.memoryBudgetBytes = 64 << 20
        settings.maxImagePixels = 1 << 18
        return settings
    }

    private func post(_ target: String, _ type: String, _ bytes: [UInt8]) {
        let fields: HTTPFields = [.contentType: type, .contentLength: "\(bytes.count)"]
        guard
            let head = try? RequestHead(
                method: "POST", target: target, version: HTTPVersion.http10.rawValue, headers: fields)
        else { fatalError("the fuzzer's own head is wrong") }
        // Pieces of an odd length: what is read across their borders must be the same.
        FuzzTarget.check(
            FuzzTarget.router.respond(to: head, body: bytes, chunk: 4093, render: PerceptionService.render))
    }

    /// A head as lines: the request line, then fields.
    private static func head(_ bytes: [UInt8]) {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        let words = lines[0].split(separator: " ", maxSplits: 2).map(String.init)
        guard words.count == 3 else { return }
        var fields = HTTPFields()
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
            guard parts.count == 2, let name = HTTPField.Name(parts[0]) else { continue }
            fields.append(HTTPField(name: name, value: parts[1]))
        }
        guard
            let head = try? RequestHead(
                method: words[0], target: words[1], version: words[2], headers: fields)
        else { return }
        check(router.respond(to: head, render: PerceptionService.render))
    }

    private static func check(_ response: Response) {
        let status = response.status.code
        precondition(status < 500 || status == 503 || status == 507, "\(response.status)")
        if status >= 400 {
            precondition(response.headers[.contentType] == "application/problem+json")
            precondition(response.bodyByteCount > 0 && response.bodyByteCount < 100_000)
        }
    }
}
