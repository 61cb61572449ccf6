internal import CNumberLists

// The Swift interface to the C code over lists of tokens. Masks are lists of 0 and 1, one for each token.

/// 1 where both masks are.
package func intersection(of first: [UInt8], and second: [UInt8]) -> [UInt8] {
    precondition(first.count == second.count)
    var both = first
    let other = second.span
    var span = both.mutableSpan
    for index in 0..<span.count { span[index] &= other[index] }
    return both
}

/// How many tokens of `range` a mask holds.
package func count(of mask: Span<UInt8>, in range: Range<Int>) -> Int {
    unsafe mask.extracting(range).withUnsafeBufferPointer { mask in
        unsafe number_lists_count(mask.baseAddress, mask.count)
    }
}

/// The sum of those values of `range` where the mask is 1.
///
/// Eight sums run side by side, by position in the range, and are joined in a fixed order: the same bits wherever the
/// range lies and whoever computes it, and a smaller rounding error than one sum has.
/// - Complexity: O(range.count)
package func sum(of values: Span<Double>, where mask: Span<UInt8>, in range: Range<Int>) -> Double {
    precondition(values.count == mask.count)
    var lanes = SIMD8<Double>.zero
    unsafe values.extracting(range).withUnsafeBufferPointer { values in
        unsafe mask.extracting(range).withUnsafeBufferPointer { mask in
            unsafe withUnsafeMutableBytes(of: &lanes) { lanes in
                unsafe number_lists_sum(
                    values.baseAddress, mask.baseAddress, values.count,
                    lanes.assumingMemoryBound(to: Double.self).baseAddress)
            }
        }
    }
    return lanes.sum()
}

/// How many tokens of a mask have the same number in the first and the second of three lists, in the first and the third,
/// and in the second and the third.
/// - Complexity: O(N), one pass.
package func countEqual(
    _ first: TokenNumbers, _ second: TokenNumbers, _ third: TokenNumbers, where mask: [UInt8]
) -> (firstSecond: Int, firstThird: Int, secondThird: Int) {
    precondition(first.count == mask.count && second.count == mask.count && third.count == mask.count)
    var equal = (0, 0, 0)
    unsafe first.withSource { first in
        unsafe second.withSource { second in
            unsafe third.withSource { third in
                var lists = unsafe (first, second, third)
                unsafe withUnsafeBytes(of: &lists) { lists in
                    unsafe withUnsafeMutableBytes(of: &equal) { equal in
                        unsafe number_lists_count_equal(
                            lists.assumingMemoryBound(to: number_lists_source.self).baseAddress, mask,
                            mask.count, equal.assumingMemoryBound(to: Int.self).baseAddress)
                    }
                }
            }
        }
    }
    return equal
}

/// Those tokens of `range` in a mask whose value is above a threshold.
///
/// - Parameters:
///   - orEqual: whether one at the threshold is kept, too.
///   - chosen: [N], where `range` is written.
package func choose(
    above threshold: Double, orEqual: Bool, from mask: Span<UInt8>, _ values: Span<Double>,
    in range: Range<Int>, _ chosen: inout MutableSpan<UInt8>
) {
    precondition(values.count == mask.count && chosen.count == mask.count)
    unsafe values.extracting(range).withUnsafeBufferPointer { values in
        unsafe mask.extracting(range).withUnsafeBufferPointer { mask in
            unsafe chosen.withUnsafeMutableBufferPointer { chosen in
                unsafe number_lists_select(
                    values.baseAddress, mask.baseAddress, values.count, threshold, orEqual,
                    chosen.baseAddress.map { unsafe $0 + range.lowerBound })
            }
        }
    }
}

extension Double {
    /// The number or 0, without a branch, which on masks is mispredicted every few tokens.
    @inlinable
    package func kept(if condition: Bool) -> Double {
        Double(bitPattern: bitPattern & (0 &- (condition ? 1 : 0)))
    }
}
