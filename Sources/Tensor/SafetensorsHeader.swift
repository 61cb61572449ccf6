import JSON

/// The JSON header as it is written, before anything it declares is checked.
struct SafetensorsHeader {
    struct Entry {
        let name: String
        var elementType = ""
        var shape: [Int] = []
        var begin = 0
        var end = 0
        /// Where the entry stands in the header.
        let byte: Int
    }

    private(set) var entries: [Entry] = []
    private(set) var metadata: [String: String] = [:]

    init() {}

    init(parsing text: [UInt8]) throws(JSONError) {
        // Depth: header → entry → list.
        var reader = JSONReader(text, depthLimit: 4)
        try reader.object { (reader, name) throws(JSONError) in
            if name == "__metadata__" {
                try reader.object { (reader, key) throws(JSONError) in metadata[key] = try reader.string() }
            } else {
                entries.append(try SafetensorsHeader.entry(name, from: &reader))
            }
        }
        // Writers pad the header with spaces to align the data.
        try reader.end()
    }

    private static func entry(_ name: String, from reader: inout JSONReader) throws(JSONError) -> Entry {
        _ = try reader.nextKind()
        var entry = Entry(name: name, byte: reader.position)
        var found = 0
        try reader.object { (reader, key) throws(JSONError) in
            found += 1
            switch key {
            case "dtype": entry.elementType = try reader.string()
            case "shape": entry.shape = try integers(from: &reader)
            case "data_offsets":
                let offsets = try integers(from: &reader)
                guard offsets.count == 2 else {
                    throw JSONError(.wrongKind(expected: "two data_offsets"), byte: reader.position)
                }
                entry.begin = offsets[0]
                entry.end = offsets[1]
            default:
                throw JSONError(
                    .wrongKind(expected: "dtype, shape or data_offsets, not \"\(key)\","),
                    byte: reader.position)
            }
        }
        guard found == 3 else {
            throw JSONError(.wrongKind(expected: "dtype, shape and data_offsets"), byte: entry.byte)
        }
        return entry
    }

    private static func integers(from reader: inout JSONReader) throws(JSONError) -> [Int] {
        var values: [Int] = []
        try reader.array { (reader, _) throws(JSONError) in
            let byte = reader.position
            guard case .integer(let value) = try reader.number(), value >= 0 else {
                throw JSONError(.wrongKind(expected: "a non-negative integer"), byte: byte)
            }
            values.append(Int(value))
        }
        return values
    }
}
