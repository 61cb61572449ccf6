extension JSONWriter {
    /// Writes each of `values`, all finite, as ``number(_:)`` does: the hot path of JSON replies.
    /// - Complexity: O(count), without an allocation for each number.
    package mutating func numbers(_ values: Span<Float>) {
        let powers = PowersOfFive.shared
        list(count: values.count, longest: FloatText.longest) { index, bytes, cursor in
            let value = values[index]
            precondition(value.isFinite, "JSON has no NaN or infinity")
            if value == 0 {
                // Most of a gradient is zeros.
                bytes.storeBytes(of: UInt8(ascii: "0"), toByteOffset: cursor, as: UInt8.self)
                cursor += 1
            } else {
                FloatText.write(value, into: &bytes, at: &cursor, powers)
            }
        }
    }

    /// Writes numbers of one digit each.
    package mutating func numbers(_ digits: Span<UInt8>) {
        list(count: digits.count, longest: 1) { index, bytes, cursor in
            precondition(digits[index] < 10)
            bytes.storeBytes(of: UInt8(ascii: "0") + digits[index], toByteOffset: cursor, as: UInt8.self)
            cursor += 1
        }
    }

    /// Elements that `write` puts at the cursor, with commas between them.
    @inline(__always)
    private mutating func list(
        count: Int, longest: Int, _ write: (Int, inout MutableRawSpan, inout Int) -> Void
    ) {
        guard count > 0 else { return }
        separate()
        // In blocks: room for all at their longest would be twice what they take.
        for first in stride(from: 0, to: count, by: JSONWriter.block) {
            let last = min(count, first + JSONWriter.block)
            let room = (last - first) * (longest + 1) + FloatText.slack
            bytes.append(addingCapacity: room) { output in
                output.append(repeating: 0, count: room)
                var span = output.mutableSpan
                var bytes = unsafe span.mutableBytes
                var cursor = 0
                for index in first..<last {
                    write(index, &bytes, &cursor)
                    bytes.storeBytes(of: UInt8(ascii: ","), toByteOffset: cursor, as: UInt8.self)
                    cursor += 1
                }
                // Whatever follows puts its own comma.
                output.removeLast(last == count ? room - cursor + 1 : room - cursor)
            }
        }
        needsComma = true
    }

    private static let block = 512
}
