/// What a detector found, flat over N tokens.
package struct Detection: Sendable {
    /// 1 for perception tokens.
    package var mask: [UInt8]
    /// ΔH in nats; 0 outside the response mask.
    package var deltaEntropy: [Double]
    /// 0 outside the response mask and for tokens that are no candidates.
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
        var found = Detection(
            mask: [UInt8](repeating: 0, count: count), deltaEntropy: [Double](repeating: 0, count: count),
            score: [Double](repeating: 0, count: count), candidates: [UInt8](repeating: 0, count: count))

        if let original = originalEntropy, let removing = removingEntropy {
            precondition(original.count == count && removing.count == count)
            for token in 0..<count where responseMask[token] == 1 {
                let delta = removing[token] - original[token]
                found.deltaEntropy[token] = delta
                guard delta > 0 else { continue }
                found.score[token] = score == .relative ? delta / (removing[token] + epsilon) : delta
                if delta > minimumDeltaEntropy { found.candidates[token] = 1 }
            }
        } else {
            precondition(method == .none, "the entropy detector needs both entropies")
        }

        switch method {
        case .none:
            found.mask = responseMask
            found.candidates = responseMask
        case .entropy:
            var scores: [Double] = []
            for row in 0..<rows.count {
                switch scope {
                case .sequence: select(in: rows[row], &found, &scores)
                case .segment:
                    for segment in segments(of: responseMask, in: rows[row]) {
                        select(in: segment, &found, &scores)
                    }
                }
            }
        }
        return found
    }

    /// Marks the k best candidates of one scope. `scores` is scratch space.
    private func select(in range: Range<Int>, _ found: inout Detection, _ scores: inout [Double]) {
        scores.removeAll(keepingCapacity: true)
        for token in range where found.candidates[token] == 1 { scores.append(found.score[token]) }
        let k = keep(of: scores.count)
        guard k > 0 else { return }
        let threshold = largest(k, of: &scores)
        switch ties {
        case .all:
            for token in range where found.candidates[token] == 1 && found.score[token] >= threshold {
                found.mask[token] = 1
            }
        case .first:
            var above = 0
            for token in range where found.candidates[token] == 1 && found.score[token] > threshold {
                found.mask[token] = 1
                above += 1
            }
            var left = k - above
            for token in range
            where left > 0 && found.candidates[token] == 1 && found.score[token] == threshold {
                found.mask[token] = 1
                left -= 1
            }
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

/// The k-th largest value (k from 1); reorders `values`.
/// - Complexity: O(n) on average. The pivot is the median of three, so sorted rows are not the worst case.
func largest(_ k: Int, of values: inout [Double]) -> Double {
    precondition(k >= 1 && k <= values.count)
    var low = 0
    var high = values.count - 1
    while low < high {
        let middle = low + (high - low) / 2
        let a = values[low]
        let b = values[middle]
        let c = values[high]
        let pivot = max(min(a, b), min(max(a, b), c))
        // Hoare partition, descending: equal values are split evenly, so ties don't degrade it.
        var i = low
        var j = high
        while i <= j {
            while values[i] > pivot { i += 1 }
            while values[j] < pivot { j -= 1 }
            if i <= j {
                values.swapAt(i, j)
                i += 1
                j -= 1
            }
        }
        if k - 1 <= j {
            high = j
        } else if k - 1 >= i {
            low = i
        } else {
            return values[k - 1]
        }
    }
    return values[low]
}
