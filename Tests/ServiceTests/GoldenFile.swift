import Glibc
import HTTP
import HTTPTypes
import JSON
import Logging
import Service
import Tensor
import Testing

/// A golden file: a request as a client would send it, beside what must come back (Tests/Golden/README.md).
struct GoldenFile: Sendable, CustomTestStringConvertible {
    let name: String
    let file: Safetensors

    struct Unreadable: Error {
        let path: String
    }

    /// All golden files of one folder, in the order of their names.
    static func all(in folder: String) -> [GoldenFile] {
        let path = goldenFolder + folder
        return fileNames(in: path).filter { $0.hasSuffix(".safetensors") }.sorted().compactMap { name in
            guard let bytes = try? contents(of: "\(path)/\(name)"),
                let file = try? Safetensors(parsing: bytes)
            else { return nil }
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

    init(tokens: [String] = [], memoryBudgetBytes: Int = 4 << 30) {
        service = PerceptionService(
            settings: ServiceSettings(memoryBudgetBytes: memoryBudgetBytes, tokens: tokens),
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

let goldenFolder =
    String(#filePath.prefix(through: #filePath.lastIndex(of: "/") ?? #filePath.endIndex)) + "../Golden/"

private func fileNames(in folder: String) -> [String] {
    guard let stream = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
        let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
            unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
        }
        names.append(name)
    }
    return names
}

private func contents(of path: String) throws -> [UInt8] {
    guard let stream = unsafe fopen(path, "rb") else { throw GoldenFile.Unreadable(path: path) }
    defer { unsafe fclose(stream) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = unsafe fread(&block, 1, block.count, stream)
        if count == 0 { return bytes }
        bytes.append(contentsOf: block[..<count])
    }
}
