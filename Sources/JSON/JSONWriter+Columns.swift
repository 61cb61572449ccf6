internal import CNumberText

extension JSONWriter {
    /// Writes each of `values`, all finite, as ``number(_:)`` does: the hot path of JSON replies.
    /// - Complexity: O(count), without an allocation for each number.
    package mutating func numbers(_ values: Span<Float>) {
        let powers = PowersOfFive.shared
        unsafe list(
            count: values.count, longest: Int(NUMBER_TEXT_LONGEST), slack: Int(NUMBER_TEXT_SLACK)
        ) { range, text in
            let written = unsafe values.extracting(range).withUnsafeBufferPointer { values in
                unsafe powers.withHalves { halves in
                    unsafe number_text_write(values.baseAddress, values.count, halves, text)
                }
            }
            precondition(written > 0, "JSON has no NaN or infinity")
            return written
        }
    }

    /// Writes numbers of one digit each.
    package mutating func numbers(_ digits: Span<UInt8>) {
        unsafe list(count: digits.count, longest: 2, slack: 0) { range, text in
            unsafe digits.extracting(range).withUnsafeBufferPointer { digits in
                precondition(unsafe digits.allSatisfy { $0 < 10 })
                unsafe number_text_write_digits(digits.baseAddress, digits.count, text)
                return 2 * digits.count
            }
        }
    }

    /// Elements that `write` puts into room for them, a comma behind each.
    /// - Parameter write: returns how many bytes they take.
    @unsafe
    private mutating func list(
        count: Int, longest: Int, slack: Int, _ write: (Range<Int>, UnsafeMutablePointer<CChar>?) -> Int
    ) {
        guard count > 0 else { return }
        separate()
        // In blocks: room for all at their longest would be twice what they take.
        for first in stride(from: 0, to: count, by: JSONWriter.block) {
            let range = first..<min(count, first + JSONWriter.block)
            bytes.append(addingCapacity: range.count * longest + slack) { output in
                unsafe output.withUnsafeMutableBufferPointer { room, filled in
                    let text = unsafe UnsafeMutableRawBufferPointer(room).assumingMemoryBound(to: CChar.self)
                    filled += unsafe write(range, text.baseAddress.map { unsafe $0 + filled })
                }
            }
        }
        // Whatever follows puts its own comma.
        bytes.removeLast()
        needsComma = true
    }

    private static let block = 512
}
