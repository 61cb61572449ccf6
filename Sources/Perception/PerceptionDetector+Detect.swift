import Parallelism

/// What a detector found, flat over N tokens.
package struct Detection: Sendable {
    /// 1 for perception tokens.
    package var mask: [UInt8]
    /// ΔH in nats; 0 outside the response mask.
    package var deltaEntropy: [Double]
    /// 0 outside the response mask and where ΔH ≤ 0.
    package var score: [Double]
    /// 1 for candidates.
    package var candidates: [UInt8]
}

extension PerceptionDetector {
    /// - Parameters:
    ///   - entropies: [N] in nats; nil for both only with method `none`.
    ///   - responseMask: [N] of 0 and 1; it always applies first, so that padding and tool tokens are never ranked.
    /// - Complexity: O(N) on average (selection, not sorting).
    package func detect(
        originalEntropy: [Double]?, removingEntropy: [Double]?, responseMask: [UInt8], rows: Rows
    ) -> Detection {
        let count = rows.tokens
        precondition(responseMask.count == count)
        var mask = [UInt8](repeating: 0, count: count)
        var deltas = [Double](repeating: 0, count: count)
        var scores = deltas
        var candidates = mask
        if let original = originalEntropy, let removing = removingEntropy {
            precondition(original.count == count && removing.count == count)
            compare(
                original.span, removing.span, responseMask.span, &deltas, &scores, &candidates)
        } else {
            precondition(method == .none, "the entropy detector needs both entropies")
        }

        switch method {
        case .none:
            mask = responseMask
            candidates = responseMask
        case .entropy:
            let scopes: [Range<Int>] =
                switch scope {
                case .sequence: (0..<rows.count).map { rows[$0] }
                case .segment: (0..<rows.count).flatMap { segments(of: responseMask, in: rows[$0]) }
                }
            let (candidates, scores) = (candidates, scores)
            let cuts = mapInParallel(scopes.count, operations: 10 * count) { index in
                cut(of: candidates.span, scores.span, in: scopes[index])
            }
            var span = mask.mutableSpan
            for (range, cut) in zip(scopes, cuts) {
                cut.select(from: candidates.span, scores.span, in: range, &span)
            }
        }
        return Detection(mask: mask, deltaEntropy: deltas, score: scores, candidates: candidates)
    }

    /// ΔH, score and candidates of every token.
    private func compare(
        _ original: Span<Double>, _ removing: Span<Double>, _ response: Span<UInt8>, _ delta: inout [Double],
        _ score: inout [Double], _ candidate: inout [UInt8]
    ) {
        var deltas = delta.mutableSpan
        var scores = score.mutableSpan
        var candidates = candidate.mutableSpan
        precondition(original.count == response.count && removing.count == response.count)
        precondition(deltas.count == response.count && scores.count == response.count)
        precondition(candidates.count == response.count)
        let isRelative = self.score == .relative
        let (epsilon, minimum) = (epsilon, minimumDeltaEntropy)
        for token in 0..<response.count {
            // In bounds by the lines above; a check for each element would keep the loop from being vector code.
            let isResponse = unsafe response[unchecked: token] == 1
            let reference = unsafe removing[unchecked: token]
            let delta = unsafe (reference - original[unchecked: token]).kept(if: isResponse)
            let rises = delta > 0
            let share = isRelative ? delta / (reference + epsilon) : delta
            unsafe deltas[unchecked: token] = delta
            unsafe scores[unchecked: token] = share.kept(if: rises)
            let isCandidate = UInt8(rises ? 1 : 0) & (delta > minimum ? 1 : 0)
            unsafe candidates[unchecked: token] = isCandidate
        }
    }

    /// Where the k best candidates of one scope end.
    private func cut(of candidates: Span<UInt8>, _ scores: Span<Double>, in range: Range<Int>) -> Cut {
        // Without a branch: which tokens are candidates can't be foreseen. Every score is written, the next one over it
        // unless it counts.
        var ranked = [Double](repeating: 0, count: range.count + 1)
        var n = 0
        for token in range {
            ranked[n] = scores[token]
            n += Int(candidates[token])
        }
        let k = keep(of: n)
        guard k > 0 else { return Cut(threshold: .infinity, ties: 0) }
        if k == n { return Cut(threshold: -.infinity, ties: 0) }
        ranked.removeLast(ranked.count - n)
        let threshold = largest(k, of: &ranked)
        switch ties {
        case .all: return Cut(threshold: threshold, ties: .max)
        case .first:
            // The k best have been moved to the front.
            return Cut(threshold: threshold, ties: k - ranked[..<k].count { $0 > threshold })
        }
    }
}

/// The candidates above a threshold, and the first so many of those at it.
private struct Cut: Sendable {
    let threshold: Double
    let ties: Int

    func select(
        from candidates: Span<UInt8>, _ scores: Span<Double>, in range: Range<Int>,
        _ mask: inout MutableSpan<UInt8>
    ) {
        if ties == .max {
            for token in range { mask[token] = candidates[token] & (scores[token] >= threshold ? 1 : 0) }
            return
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

/// The maximal runs of 1 in `mask` within `range`.
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

/// The k-th largest value (k from 1); reorders `values` so that the k largest stand first.
/// - Complexity: O(n) on average, O(n log n) at worst: rows made to defeat the pivots are sorted instead.
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
        // Ties with the pivot are done with at once, however many.
        let equal = moveForward(in: &values, above..<high) { $0 == pivot }
        if k <= equal { return pivot }
        low = equal
    }
    return values[low]
}

/// Moves the values that are wanted to the front of `range`; where they end. Every step swaps, wanted or not, and only
/// how far the front reaches depends on the comparison: a branch would be mispredicted every other time.
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
