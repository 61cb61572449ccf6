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
            let scopes: [Range<Int>] =
                switch scope {
                case .sequence: (0..<rows.count).map { rows[$0] }
                case .segment: (0..<rows.count).flatMap { segments(of: responseMask, in: rows[$0]) }
                }
            let candidates = found.candidates
            let scores = found.score
            let chosen = mapInParallel(scopes.count, operations: 10 * count) { index in
                best(in: scopes[index], candidates: candidates, scores: scores)
            }
            for tokens in chosen {
                for token in tokens { found.mask[token] = 1 }
            }
        }
        return found
    }

    /// The k best candidates of one scope, and, with `all`, those that tie with the last of them.
    private func best(in range: Range<Int>, candidates: [UInt8], scores: [Double]) -> [Int] {
        let tokens = range.filter { candidates[$0] == 1 }
        let k = keep(of: tokens.count)
        guard k > 0 else { return [] }
        var ranked = tokens.map { scores[$0] }
        let threshold = largest(k, of: &ranked)
        switch ties {
        case .all: return tokens.filter { scores[$0] >= threshold }
        case .first:
            var left = k - tokens.reduce(0) { $0 + (scores[$1] > threshold ? 1 : 0) }
            return tokens.filter { token in
                if scores[token] > threshold { return true }
                guard scores[token] == threshold, left > 0 else { return false }
                left -= 1
                return true
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
/// - Complexity: O(n) on average, O(n log n) at worst: rows made to defeat the pivots are sorted instead.
func largest(_ k: Int, of values: inout [Double]) -> Double {
    precondition(k >= 1 && k <= values.count)
    var low = 0
    var high = values.count - 1
    // Good pivots halve the range about every other time.
    var patience = 4 * (Int.bitWidth - values.count.leadingZeroBitCount)
    while low < high {
        patience -= 1
        guard patience > 0 else {
            values[low...high].sort(by: >)
            return values[k - 1]
        }
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
