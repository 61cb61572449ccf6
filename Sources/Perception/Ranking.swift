import Batches

/// Selects the candidates above a threshold, and the first ones equal to it.
struct Cut: Sendable {
    let threshold: Double
    let ties: Int

    func select(
        from candidates: Span<UInt8>, _ scores: Span<Double>, in range: Range<Int>,
        _ mask: inout MutableSpan<UInt8>
    ) {
        if ties == .max {
            return choose(above: threshold, orEqual: true, from: candidates, scores, in: range, &mask)
        }
        var left = ties
        for token in range where candidates[token] == 1 && scores[token] >= threshold {
            if scores[token] == threshold {
                guard left > 0 else { continue }
                left -= 1
            }
            mask[token] = 1
        }
    }
}

/// Returns the maximal runs of 1 in `mask` within `range`.
package func segments(of mask: [UInt8], in range: Range<Int>) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    var start: Int?
    for token in range {
        if mask[token] == 1 {
            if start == nil { start = token }
        } else if let first = start {
            runs.append(first..<token)
            start = nil
        }
    }
    if let first = start { runs.append(first..<range.upperBound) }
    return runs
}

/// Returns the k-th largest value (k from 1), and reorders `values` so that the k largest come first.
/// - Complexity: O(n) on average, O(n log n) at worst: inputs that defeat the pivots are sorted instead.
func largest(_ k: Int, of values: inout [Double]) -> Double {
    precondition(k >= 1 && k <= values.count)
    var low = 0
    var high = values.count
    // Good pivots halve the range about every other time.
    var patience = 4 * (Int.bitWidth - values.count.leadingZeroBitCount)
    while high - low > 1 {
        patience -= 1
        guard patience > 0 else {
            values[low..<high].sort(by: >)
            return values[k - 1]
        }
        let a = values[low]
        let b = values[low + (high - low) / 2]
        let c = values[high - 1]
        let pivot = max(min(a, b), min(max(a, b), c))
        let above = moveForward(in: &values, low..<high) { $0 > pivot }
        if k <= above {
            high = above
            continue
        }
        // All ties with the pivot are handled at once.
        let equal = moveForward(in: &values, above..<high) { $0 == pivot }
        if k <= equal { return pivot }
        low = equal
    }
    return values[low]
}

/// Moves the wanted values to the front of `range` and returns their end. Every step swaps, and only the end of the
/// front depends on the comparison, because a branch would be mispredicted every other time.
@inline(__always)
private func moveForward(
    in values: inout [Double], _ range: Range<Int>, _ isWanted: (Double) -> Bool
) -> Int {
    var span = values.mutableSpan
    var front = range.lowerBound
    for index in range {
        let value = span[index]
        span[index] = span[front]
        span[front] = value
        front += isWanted(value) ? 1 : 0
    }
    return front
}
