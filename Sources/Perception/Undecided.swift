package import Batches

/// Bounds of a view's entropies, [N] each, in nats. They are equal if an entropy is known exactly.
package struct EntropyInterval: Sendable, Equatable {
    package var lower: [Double]
    package var upper: [Double]

    package init(lower: [Double], upper: [Double]) {
        self.lower = lower
        self.upper = upper
    }
}

extension PerceptionDetector {
    /// Returns an upper bound on the number of response tokens that are perception tokens for some entropies within the
    /// bounds but not for others. It is an upper bound because it considers each token's entropies separately.
    ///
    /// A score grows with H_removing and falls with H_original, so its minimum and maximum are at corners of the
    /// bounds. A token is certainly chosen if its minimum is exceeded by fewer rivals' maxima than the smallest quota.
    /// It is certainly not chosen if its maximum is exceeded by at least as many rivals' minima as the largest quota.
    /// - Precondition: the method is entropy.
    /// - Complexity: O(N log N)
    package func undecided(
        original: EntropyInterval, removing: EntropyInterval, responseMask: [UInt8], sequences: Sequences
    ) -> Int {
        precondition(method == .entropy)
        let low = compare(TokenNumbers(original.upper), TokenNumbers(removing.lower), responseMask)
        let high = compare(TokenNumbers(original.lower), TokenNumbers(removing.upper), responseMask)
        return scopes(of: responseMask, sequences).reduce(0) { count, range in
            count + undecided(in: range, low, high)
        }
    }

    private func undecided(in range: Range<Int>, _ low: Detection, _ high: Detection) -> Int {
        guard let least = low.score, let most = high.score else { return 0 }
        // A token that is a candidate at its least ΔH is always one.
        let possible = range.filter { high.candidates[$0] == 1 }
        let sure = range.filter { low.candidates[$0] == 1 }
        let rivalsAtMost = possible.map { most[$0] }.sorted()
        let rivalsAtLeast = sure.map { least[$0] }.sorted()
        let (fewest, largest) = (keep(of: sure.count), keep(of: possible.count))
        return possible.count { token in
            if low.candidates[token] == 1 {
                // The token counts among its own rivals if its bounds differ or ties count.
                let itself = ties == .first || most[token] > least[token] ? 1 : 0
                let above = rivals(in: rivalsAtMost, above: least[token], orEqual: ties == .first) - itself
                if above < fewest { return false }
            }
            return rivals(in: rivalsAtLeast, above: most[token], orEqual: false) < largest
        }
    }

    /// Returns how many of the ascending scores exceed this one.
    private func rivals(in scores: [Double], above score: Double, orEqual: Bool) -> Int {
        var (first, end) = (0, scores.count)
        while first < end {
            let middle = (first + end) / 2
            let beats = orEqual ? scores[middle] >= score : scores[middle] > score
            if beats { end = middle } else { first = middle + 1 }
        }
        return scores.count - first
    }
}
