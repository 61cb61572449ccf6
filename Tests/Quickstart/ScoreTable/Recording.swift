import Glibc
import JSON
import Tensor

/// A recorded request: logits of one sequence under three views, and the text of its tokens.
struct Recording {
    let bytes: [UInt8]
    let tokens: [String]
    let text: String
    private let file: Safetensors

    struct Unreadable: Error, CustomStringConvertible {
        let description: String
    }

    init(path: String) throws {
        bytes = try contents(of: path)
        file = try Safetensors(parsing: bytes)
        guard let list = try file.metadata["tokens"].map({ try JSONValue(parsing: $0) })?.array else {
            throw Unreadable(description: "\(path) has no metadata \"tokens\"")
        }
        tokens = list.compactMap(\.string)
        text = file.metadata["text"] ?? ""
        guard file.tensors["token_ids"]?.count == tokens.count else {
            throw Unreadable(description: "\(path): \(tokens.count) tokens do not fit its token_ids")
        }
    }

    /// The logits of the two views whose entropies are compared, as a request for /v1/entropy.
    var entropyRequest: [UInt8] {
        var writer = SafetensorsWriter()
        for name in ["original.logits", "removing.logits"] {
            guard let tensor = file.tensors[name] else { continue }
            writer.append(name, tensor.elementType, shape: tensor.shape, bytes: tensor.bytes)
        }
        return writer.segments().flatMap { $0 }
    }

    /// Whether position `token` is part of the response.
    func isResponse(_ token: Int) -> Bool {
        file.tensors["response_mask"].map { $0.doubles(token..<token + 1)[0] == 1 } ?? true
    }
}

/// All bytes of a file.
private func contents(of path: String) throws -> [UInt8] {
    guard let stream = unsafe fopen(path, "rb") else {
        throw Recording.Unreadable(
            description: "cannot open \(path): \(unsafe String(cString: strerror(errno)))")
    }
    defer { unsafe fclose(stream) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = unsafe fread(&block, 1, block.count, stream)
        if count == 0 { break }
        bytes.append(contentsOf: block[..<count])
    }
    guard unsafe ferror(stream) == 0 else { throw Recording.Unreadable(description: "cannot read \(path)") }
    return bytes
}
