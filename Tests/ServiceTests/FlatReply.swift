import HTTP
import HTTPTypes
import JSON
import Tensor
import Testing

/// A reply of any encoding as numbers for each row, so that encodings can be compared.
struct FlatReply: Equatable {
    /// By tensor name; one list for each row. `grad.rows` counts within its row, `grad.<view>.logits` is flattened.
    var tensors: [String: [[Double]]] = [:]
    var scalars: [String: JSONValue] = [:]
    /// One for each row.
    var diagnostics: [JSONValue] = []

    /// - Parameter lengths: of the rows that were sent.
    init(_ response: Response, lengths: [Int], packed: Bool = false) throws {
        try #require(response.status == .ok, "\(response.text)")
        if response.headers[.contentType] == "application/x-safetensors" {
            let file = try Safetensors(parsing: response.bytes)
            let result = try JSONValue(parsing: try #require(file.metadata["result"]))
            readScalars(result)
            let spans = FlatReply.spans(lengths, packed)
            // Those without extents are scalars once more.
            let tensors = file.tensors.filter { !$0.value.shape.isEmpty }.mapValues { $0.doubles() }
            for (name, values) in tensors where !isOfRows(name) {
                self.tensors[name] = spans.map { Array(values[$0]) }
            }
            if let rows = tensors["grad.rows"] { readRows(rows.map { Int($0) }, tensors, spans) }
            return
        }
        let json = try JSONValue(parsing: response.bytes)
        readScalars(json)
        if let rollouts = json["rollouts"]?.array {
            diagnostics = rollouts.compactMap { $0["diagnostics"] }
            for rollout in rollouts { read(rollout, prefix: "") }
        } else {
            let spans = FlatReply.spans(lengths, packed)
            let numbers = (json.members ?? []).filter { $0.value.array != nil }
                .reduce(into: [String: [Double]]()) { $0[$1.name] = flattened($1.value) }
            // Nested lists are whole rows, padding included.
            for (name, values) in numbers where !isOfRows(name) {
                tensors[name] = spans.map { Array(values[$0]) }
            }
            if let rows = numbers["grad.rows"] { readRows(rows.map { Int($0) }, numbers, spans) }
        }
    }

    private static func spans(_ lengths: [Int], _ packed: Bool) -> [Range<Int>] {
        var start = 0
        return lengths.map { length in
            defer { start += packed ? length : lengths.max() ?? 0 }
            return start..<start + length
        }
    }

    private func isOfRows(_ name: String) -> Bool { name == "grad.rows" || name.hasSuffix(".logits") }

    private mutating func readRows(_ rows: [Int], _ tensors: [String: [Double]], _ spans: [Range<Int>]) {
        self.tensors["grad.rows"] = spans.map { span in
            rows.filter(span.contains).map { Double($0 - span.lowerBound) }
        }
        for (name, values) in tensors where name.hasSuffix(".logits") {
            let width = rows.isEmpty ? 0 : values.count / rows.count
            self.tensors[name] = spans.map { span in
                rows.indices.filter { span.contains(rows[$0]) }.flatMap {
                    values[$0 * width..<($0 + 1) * width]
                }
            }
        }
    }

    private mutating func readScalars(_ json: JSONValue) {
        for member in json.members ?? [] where member.value.array == nil {
            if member.name == "diagnostics" {
                diagnostics = member.value["sequences"]?.array ?? []
                scalars["diagnostics"] = .object(
                    (member.value.members ?? []).filter { $0.name != "sequences" })
            } else {
                scalars[member.name] = member.value
            }
        }
    }

    private mutating func read(_ json: JSONValue, prefix: String) {
        for member in json.members ?? [] where member.name != "diagnostics" && member.name != "id" {
            if member.value.members != nil {
                read(member.value, prefix: "\(prefix)\(member.name).")
            } else {
                tensors["\(prefix)\(member.name)", default: []].append(flattened(member.value))
            }
        }
    }

    private func flattened(_ json: JSONValue) -> [Double] {
        if let list = json.array { return list.flatMap(flattened) }
        return json.double.map { [Double(Float($0))] } ?? []
    }
}
