internal import CNumberText

extension JSONReader {
    /// Reads one number; integers without fraction or exponent that fit Int64 stay integers.
    package mutating func number() throws(JSONError) -> JSONValue {
        let (value, scan) = try scanned()
        if scan.isInteger, let integer = scan.exactInteger { return .integer(integer) }
        return .number(value)
    }

    /// Reads one number as the nearest Double.
    package mutating func double() throws(JSONError) -> Double { try scanned().value }

    private mutating func scanned() throws(JSONError) -> (value: Double, scan: NumberScan) {
        guard try nextKind() == .number else {
            throw JSONError(.wrongKind(expected: "a number"), byte: position)
        }
        var scan = NumberScan(start: position)
        let value = try scan.scan(bytes.span, PowersOfFive.shared)
        position = scan.position
        return (value, scan)
    }

    /// Reads a flat array of numbers onto the end of `values`: the hot path of JSON bodies.
    /// - Parameter allowingBooleans: whether true and false count as 1 and 0, since masks are written both ways.
    /// - Complexity: O(bytes read); numbers of up to 19 digits take one or two 64-bit products each.
    package mutating func numbers(
        into values: inout [Double], allowingBooleans: Bool = false
    ) throws(JSONError) {
        guard try nextKind() == .array else {
            throw JSONError(.wrongKind(expected: "an array of numbers"), byte: position)
        }
        try enter()
        let text = bytes
        let span = text.span
        let powers = PowersOfFive.shared
        var cursor = position
        passBlanks(of: span, &cursor)
        guard cursor < span.count else { throw JSONError(.unexpectedEnd, byte: cursor) }
        var isOpen = span[cursor] != UInt8(ascii: "]")
        while isOpen {
            // In blocks, so that the list is asked for room once for many numbers.
            try values.append(addingCapacity: JSONReader.block) { room throws(JSONError) in
                while isOpen, room.freeCapacity > 0 {
                    passBlanks(of: span, &cursor)
                    if readPlainNumbers(of: span, &cursor, powers, into: &room) {
                        isOpen = false
                        break
                    }
                    if room.freeCapacity == 0 { break }
                    passBlanks(of: span, &cursor)
                    // One that is out of the ordinary, or wrong.
                    guard cursor < span.count else { throw JSONError(.unexpectedEnd, byte: cursor) }
                    switch span[cursor] {
                    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                        var scan = NumberScan(start: cursor)
                        room.append(try scan.scan(span, powers))
                        cursor = scan.position
                    case UInt8(ascii: "t") where allowingBooleans, UInt8(ascii: "f") where allowingBooleans:
                        position = cursor
                        room.append(try bool() ? 1 : 0)
                        cursor = position
                    default:
                        // Bytes that start no value at all are malformed, not of another kind.
                        position = cursor
                        _ = try nextKind()
                        throw JSONError(.wrongKind(expected: "a number"), byte: cursor)
                    }
                    passBlanks(of: span, &cursor)
                    guard cursor < span.count else { throw JSONError(.unexpectedEnd, byte: cursor) }
                    if span[cursor] == UInt8(ascii: ",") {
                        cursor += 1
                    } else if span[cursor] == UInt8(ascii: "]") {
                        isOpen = false
                    } else {
                        throw JSONError(.unexpectedByte(span[cursor], expected: "',' or ']'"), byte: cursor)
                    }
                }
            }
        }
        position = cursor
        leave()
    }

    /// Numbers that are read before the list they go to is looked at again.
    private static let block = 512
}

@inline(__always)
private func passBlanks(of text: Span<UInt8>, _ cursor: inout Int) {
    while cursor < text.count, isBlank(text[cursor]) { cursor += 1 }
}

/// Reads numbers from `cursor` on as far as they are ordinary; it then stands at an element that isn't, at a blank before one,
/// or at the bracket that closes the list.
/// - Returns: whether it is that bracket.
@inline(__always)
private func readPlainNumbers(
    of text: Span<UInt8>, _ cursor: inout Int, _ powers: PowersOfFive, into room: inout OutputSpan<Double>
) -> Bool {
    let reading = unsafe text.withUnsafeBufferPointer { text in
        unsafe room.withUnsafeMutableBufferPointer { room, filled in
            let reading = unsafe powers.withHalves { halves in
                unsafe number_text_read(
                    text.baseAddress, text.count, cursor, halves, room.baseAddress.map { unsafe $0 + filled },
                    room.count - filled)
            }
            filled += reading.count
            return reading
        }
    }
    cursor = reading.position
    return reading.is_closed
}
