/// Masks are lists of 0 and 1, one for each token.

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
    let part = mask.extracting(range)
    var count = 0
    for index in 0..<part.count { count &+= Int(part[index]) }
    return count
}

/// The sum of those values of `range` where the mask is 1.
///
/// Eight sums run side by side, by position in the range, and are joined in a fixed order: the same bits wherever the
/// range lies and whoever computes it, and a smaller rounding error than one sum has.
/// - Complexity: O(range.count)
package func sum(of values: Span<Double>, where mask: Span<UInt8>, in range: Range<Int>) -> Double {
    let values = values.extracting(range)
    let mask = mask.extracting(range)
    precondition(values.count == mask.count)
    var lanes = SIMD8<Double>.zero
    var first = 0
    while first + 8 <= values.count {
        for lane in 0..<8 { lanes[lane] += values[first + lane].kept(if: mask[first + lane] == 1) }
        first += 8
    }
    for index in first..<values.count where mask[index] == 1 { lanes[index - first] += values[index] }
    return lanes.sum()
}

/// How many tokens of a mask have the same number twice.
/// - Complexity: O(N)
package func countEqual(_ first: Span<Double>, _ second: Span<Double>, where mask: Span<UInt8>) -> Int {
    precondition(first.count == mask.count && second.count == mask.count)
    var count: UInt64 = 0
    for index in 0..<mask.count {
        // In bounds by the line above; a check for each element would keep the loop from being vector code.
        let isEqual = unsafe first[unchecked: index] == second[unchecked: index]
        count &+= unsafe UInt64(mask[unchecked: index]) & (isEqual ? 1 : 0)
    }
    return Int(count)
}

extension Double {
    /// The number or 0, without a branch, which on masks is mispredicted every few tokens.
    @inlinable
    package func kept(if condition: Bool) -> Double {
        Double(bitPattern: bitPattern & (0 &- (condition ? 1 : 0)))
    }
}
