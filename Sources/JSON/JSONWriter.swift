/// Appends JSON text (RFC 8259) to a byte buffer, putting the commas itself.
///
/// Floats are written as the shortest decimal that reads back as the same value of their own type. Writing a NaN or an
/// infinity is a programmer error: JSON has no such number, and every result is finite by contract.
package struct JSONWriter: Sendable {
    package internal(set) var bytes: [UInt8] = []
    /// Whether a value already stands at this level, so that the next one needs a comma.
    var needsComma = false

    package init(reservingCapacity capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    package mutating func object(_ members: (inout JSONWriter) -> Void) {
        open(UInt8(ascii: "{"))
        members(&self)
        close(UInt8(ascii: "}"))
    }

    package mutating func array(_ elements: (inout JSONWriter) -> Void) {
        open(UInt8(ascii: "["))
        elements(&self)
        close(UInt8(ascii: "]"))
    }

    /// Writes a member's name; its value is what is written next.
    package mutating func name(_ name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    package mutating func member(_ name: String, _ value: JSONValue) {
        self.name(name)
        self.value(value)
    }

    package mutating func string(_ text: String) {
        separate()
        var text = text
        text.withUTF8 { text in
            let text = unsafe text.span
            var escapes = 0
            for index in 0..<text.count { escapes += JSONWriter.escapeLength(text[index]) }
            bytes.append(addingCapacity: text.count + escapes + 2) { output in
                output.append(UInt8(ascii: "\""))
                unsafe output.withUnsafeMutableBufferPointer { room, filled in
                    let room = unsafe UnsafeMutableBufferPointer(rebasing: room[filled...])
                    filled +=
                        unsafe escapes == 0
                        ? JSONWriter.copy(text, to: room) : JSONWriter.escape(text, to: room)
                }
                output.append(UInt8(ascii: "\""))
            }
        }
        needsComma = true
    }

    /// Bytes that a character's escape takes beside the character, or in place of one that is a control.
    @inline(__always)
    private static func escapeLength(_ byte: UInt8) -> Int {
        let isMarked = byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
        return (isMarked ? 1 : 0) + (byte < 0x20 ? 5 : 0)
    }

    /// - Returns: how many bytes were written, as the next.
    @unsafe
    private static func copy(_ text: Span<UInt8>, to room: UnsafeMutableBufferPointer<UInt8>) -> Int {
        unsafe text.withUnsafeBufferPointer { text in
            unsafe room.update(fromContentsOf: text)
        }
    }

    /// Every character is written where its escape would begin, so that only controls are a branch.
    @unsafe
    private static func escape(_ text: Span<UInt8>, to room: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var end = 0
        for index in 0..<text.count {
            let byte = text[index]
            if byte < 0x20 {
                let digits = Array("0123456789abcdef".utf8)
                for byte in Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]] {
                    unsafe room[end] = byte
                    end += 1
                }
                continue
            }
            unsafe room[end] = UInt8(ascii: "\\")
            end += escapeLength(byte)
            unsafe room[end] = byte
            end += 1
        }
        return end
    }

    /// Writes a string of bytes known to need no escape, such as base64.
    package mutating func plainString(_ text: [UInt8]) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: text)
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    /// Takes the text so far, up to where a value comes that another writer has written; what is written next follows
    /// that value.
    package mutating func takeText() -> [UInt8] {
        separate()
        let text = bytes
        bytes = []
        needsComma = true
        return text
    }

    package mutating func integer(_ value: Int) { raw(String(value)) }
    package mutating func bool(_ value: Bool) { raw(value ? "true" : "false") }
    package mutating func null() { raw("null") }

    package mutating func number(_ value: Double) {
        precondition(value.isFinite, "JSON has no NaN or infinity")
        if value.magnitude < 1e15, value == value.rounded(.towardZero), value != 0 || value.sign == .plus {
            raw(String(Int64(value)))
        } else {
            raw(value.description)
        }
    }

    package mutating func number(_ value: Float) {
        precondition(value.isFinite, "JSON has no NaN or infinity")
        value == 0 ? raw("0") : raw(value.description)
    }

    package mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let value): bool(value)
        case .integer(let value): raw(String(value))
        case .number(let value): number(value)
        case .string(let value): string(value)
        case .array(let elements): array { writer in for element in elements { writer.value(element) } }
        case .object(let members):
            object { writer in for member in members { writer.member(member.name, member.value) } }
        }
    }

    private mutating func raw(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
        needsComma = true
    }

    mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }
}
