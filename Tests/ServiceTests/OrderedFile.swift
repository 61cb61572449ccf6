import HTTP
import HTTPTypes
import JSON
import Service
import Tensor
import TestMaterial
import Testing

/// A safetensors file whose data lie in the order of its tensors, whatever a sane writer would do.
struct OrderedFile {
    struct Entry {
        let name: String
        let type: ElementType
        let shape: [Int]
        let bytes: [UInt8]
    }

    var entries: [Entry] = []
    var options: String?

    init(options: String? = nil) {
        self.options = options
    }

    mutating func append(_ name: String, _ type: ElementType, _ shape: [Int], _ values: [Double]) {
        entries.append(Entry(name: name, type: type, shape: shape, bytes: littleEndian(values, type)))
    }

    /// - Parameter padding: blanks after the header, which shift the data to any alignment.
    func bytes(padding: Int = 0) -> [UInt8] {
        var members: [JSONValue.Member] = []
        if let options { members.append(.init("__metadata__", ["options": .string(options)])) }
        var offset = 0
        for entry in entries {
            let range: JSONValue = [.integer(Int64(offset)), .integer(Int64(offset + entry.bytes.count))]
            members.append(
                .init(
                    entry.name,
                    [
                        "dtype": .string(entry.type.rawValue), "shape": list(entry.shape),
                        "data_offsets": range,
                    ]
                ))
            offset += entry.bytes.count
        }
        let header = JSONValue.object(members).bytes + [UInt8](repeating: 0x20, count: padding)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
        return length + header + entries.flatMap(\.bytes)
    }

    /// Where the data of a tensor begin.
    func start(of name: String) -> Int {
        let data = entries.reduce(0) { $0 + $1.bytes.count }
        return bytes().count - data + entries.prefix { $0.name != name }.reduce(0) { $0 + $1.bytes.count }
    }
}

extension TestService {
    /// Posts a body in pieces of these sizes, in turn; without its length it is a chunked one.
    func stream(
        _ target: String, _ body: [UInt8], chunks: [Int] = [65_536], isSized: Bool = true
    ) throws -> Response {
        var fields: HTTPFields = [
            .contentType: "application/x-safetensors", try #require(.init("Host")): "localhost",
            try #require(.init("X-Request-ID")): "streamed",
        ]
        if isSized { fields[.contentLength] = "\(body.count)" } else { fields[.transferEncoding] = "chunked" }
        let head = try RequestHead(method: "POST", target: target, headers: fields)
        return service.router.respond(
            to: head, body: body, chunks: chunks, render: PerceptionService.render)
    }
}

/// Logits that every float type holds exactly, with −inf among them.
func exactLogits(_ count: Int, seed: UInt64) -> [Double] {
    var random = SeededGenerator(seed: seed)
    return (0..<count).map { _ in
        let value = Int.random(in: -64...64, using: &random)
        return value == -64 ? -.infinity : Double(value) / 8
    }
}
