import JSON

/// Reads nested lists of numbers into one flat row-major buffer and its shape.
struct NestedNumbers {
    let allowingBooleans: Bool
    var values: [Double] = []
    var shape: [Int] = []
    /// The reason that the lists have no shape; nil if they have one.
    var fault: String?

    init(allowingBooleans: Bool) { self.allowingBooleans = allowingBooleans }

    /// The maximum depth of the lists, which no tensor exceeds.
    private static let maximumRank = 4

    mutating func read(_ reader: inout JSONReader) throws(JSONError) {
        shape = try level(&reader, depth: 1)
    }

    /// - Complexity: O(bytes read).
    private mutating func level(_ reader: inout JSONReader, depth: Int) throws(JSONError) -> [Int] {
        guard depth <= NestedNumbers.maximumRank else {
            throw JSONError(.tooDeep(limit: NestedNumbers.maximumRank), byte: reader.position)
        }
        guard try reader.startsNestedArray() else {
            let before = values.count
            try reader.numbers(into: &values, allowingBooleans: allowingBooleans)
            return [values.count - before]
        }
        var inner: [Int]?
        var count = 0
        try reader.array { (reader, index) throws(JSONError) in
            let shape = try level(&reader, depth: depth + 1)
            if let first = inner, first != shape {
                fault =
                    fault
                    ?? "the lists are not rectangular: entry \(index) has shape \(shape), entry 0 has \(first)"
            }
            inner = inner ?? shape
            count += 1
        }
        return [count] + (inner ?? [])
    }
}
