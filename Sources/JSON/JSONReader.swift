/// A strict pull parser for JSON text (RFC 8259): the caller asks for what its schema expects next.
///
/// Refused beyond the grammar: duplicate members (RFC 8259 §4 leaves them undefined, so two readers may disagree),
/// nesting deeper than `depthLimit`, numbers that overflow a Double, and anything after the value. Names that differ
/// only in how characters are composed count as duplicates, because dictionaries of strings take them for one.
/// The text is never copied; the reader is a position in it.
package struct JSONReader: Sendable {
    let bytes: [UInt8]
    package internal(set) var position: Int
    private var depth = 0
    private let valueLimit: Int
    private var valuesLeft: Int
    private let depthLimit: Int

    /// Values that may be built whole (``value()``) from one text: each takes many times the two bytes it may be written
    /// in. Numbers that are pulled into columns don't count.
    package static let standardValueLimit = 4_000_000
    /// In bytes of the text: names are compared, which for hostile Unicode takes long.
    private static let nameLimit = 4096

    package enum Kind: Sendable {
        case null, bool, number, string, array, object
    }

    package init(
        _ bytes: [UInt8], depthLimit: Int = 64, valueLimit: Int = JSONReader.standardValueLimit
    ) {
        self.bytes = bytes
        self.position = 0
        self.depthLimit = depthLimit
        self.valueLimit = valueLimit
        valuesLeft = valueLimit
        // A byte order mark is not JSON, but RFC 8259 §8.1 lets a parser ignore it.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    /// What kind of value starts at the next non-blank byte.
    package mutating func nextKind() throws(JSONError) -> Kind {
        switch try peek("a value") {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        case UInt8(ascii: "N"), UInt8(ascii: "I"): throw JSONError(.nonFiniteNumber, byte: position)
        case let other: throw JSONError(.unexpectedByte(other, expected: "a value"), byte: position)
        }
    }

    /// Reads an object, calling `member` with each name; `member` must read exactly one value.
    package mutating func object(
        _ member: (inout JSONReader, String) throws(JSONError) -> Void
    ) throws(JSONError) {
        guard try nextKind() == .object else {
            throw JSONError(.wrongKind(expected: "an object"), byte: position)
        }
        try enter()
        var seen: Set<String> = []
        if try peek("a member name or '}'") != UInt8(ascii: "}") {
            repeat {
                guard try peek("a member name") == UInt8(ascii: "\"") else {
                    throw unexpected("a member name")
                }
                let start = position
                let name = try string()
                guard position - start <= JSONReader.nameLimit else {
                    throw JSONError(.nameTooLong(limit: JSONReader.nameLimit), byte: start)
                }
                guard seen.insert(name).inserted else { throw JSONError(.duplicateMember(name), byte: start) }
                guard try peek("':'") == UInt8(ascii: ":") else { throw unexpected("':'") }
                position += 1
                try member(&self, name)
            } while try another(closing: UInt8(ascii: "}"))
        }
        leave()
    }

    /// Reads an array, calling `element` with each index; `element` must read exactly one value.
    package mutating func array(
        _ element: (inout JSONReader, Int) throws(JSONError) -> Void
    ) throws(JSONError) {
        guard try nextKind() == .array else {
            throw JSONError(.wrongKind(expected: "an array"), byte: position)
        }
        try enter()
        if try peek("a value or ']'") != UInt8(ascii: "]") {
            var index = 0
            repeat {
                try element(&self, index)
                index += 1
            } while try another(closing: UInt8(ascii: "]"))
        }
        leave()
    }

    package mutating func bool() throws(JSONError) -> Bool {
        guard try nextKind() == .bool else {
            throw JSONError(.wrongKind(expected: "true or false"), byte: position)
        }
        if bytes[position] == UInt8(ascii: "t") {
            try literal("true")
            return true
        }
        try literal("false")
        return false
    }

    package mutating func null() throws(JSONError) {
        guard try nextKind() == .null else { throw JSONError(.wrongKind(expected: "null"), byte: position) }
        try literal("null")
    }

    /// Reads any value whole. Memory grows with the text, so callers that know their schema pull instead.
    package mutating func value() throws(JSONError) -> JSONValue {
        valuesLeft -= 1
        guard valuesLeft >= 0 else {
            throw JSONError(.tooManyValues(limit: valueLimit), byte: position)
        }
        switch try nextKind() {
        case .null:
            try null()
            return .null
        case .bool: return .bool(try bool())
        case .number: return try number()
        case .string: return .string(try string())
        case .array:
            var elements: [JSONValue] = []
            try array { (reader, _) throws(JSONError) in elements.append(try reader.value()) }
            return .array(elements)
        case .object:
            var members: [JSONValue.Member] = []
            try object { (reader, name) throws(JSONError) in members.append(.init(name, try reader.value())) }
            return .object(members)
        }
    }

    /// Reads any value and forgets it; only strings and names are ever held, one at a time, and one object's names.
    package mutating func skip() throws(JSONError) {
        switch try nextKind() {
        case .array: try array { (reader, _) throws(JSONError) in try reader.skip() }
        case .object: try object { (reader, _) throws(JSONError) in try reader.skip() }
        case .null, .bool, .number, .string: _ = try value()
        }
    }

    /// Checks that nothing but blanks follows.
    package mutating func end() throws(JSONError) {
        skipBlanks()
        guard position == bytes.count else { throw JSONError(.trailingBytes, byte: position) }
    }
}

extension JSONReader {
    mutating func skipBlanks() {
        while position < bytes.count, isBlank(bytes[position]) { position += 1 }
    }

    /// The next non-blank byte, not consumed.
    mutating func peek(_ expected: String) throws(JSONError) -> UInt8 {
        skipBlanks()
        guard position < bytes.count else { throw JSONError(.unexpectedEnd, byte: position) }
        return bytes[position]
    }

    func unexpected(_ expected: String) -> JSONError {
        JSONError(.unexpectedByte(bytes[position], expected: expected), byte: position)
    }

    private mutating func another(closing: UInt8) throws(JSONError) -> Bool {
        let next = try peek("',' or the end")
        guard next == UInt8(ascii: ",") || next == closing else {
            throw unexpected("',' or the end of the list")
        }
        if next == closing { return false }
        position += 1
        return true
    }

    mutating func enter() throws(JSONError) {
        depth += 1
        guard depth <= depthLimit else { throw JSONError(.tooDeep(limit: depthLimit), byte: position) }
        position += 1
    }

    mutating func leave() {
        depth -= 1
        position += 1
    }

    private mutating func literal(_ word: StaticString) throws(JSONError) {
        for offset in 0..<word.utf8CodeUnitCount {
            guard position < bytes.count else { throw JSONError(.unexpectedEnd, byte: position) }
            let expected = unsafe word.utf8Start[offset]
            guard bytes[position] == expected else { throw unexpected("\(word)") }
            position += 1
        }
    }
}

/// RFC 8259 §2: space, tab, line feed, carriage return.
@inline(__always)
func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

extension JSONReader {
    /// Whether the next value is an array whose first element is an array; reads nothing.
    package mutating func startsNestedArray() throws(JSONError) -> Bool {
        guard try nextKind() == .array else { return false }
        var cursor = position + 1
        while cursor < bytes.count, isBlank(bytes[cursor]) { cursor += 1 }
        return cursor < bytes.count && bytes[cursor] == UInt8(ascii: "[")
    }
}
