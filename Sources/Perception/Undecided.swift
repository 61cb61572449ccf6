package import Batches

/// Bounds of a view's entropies, [N] each, in nats: equal where an entropy is known exactly.
package struct EntropyInterval: Sendable, Equatable {
    package var lower: [Double]
    package var upper: [Double]

    package init(lower: [Double], upper: [Double]) {
        self.lower = lower
        self.upper = upper
    }
}

extension PerceptionDetector {
    /// How many response tokens are perception tokens for some entropies within the bounds, and not for others: an upper
    /// count, since no two tokens' entropies are looked at together.
    ///
    /// A score grows with H_removing and falls with H_original, so its least and its most are at corners of the bounds. A
    /// token is surely chosen when even its least score is beaten by fewer rivals at their most than the smallest quota, and
    /// surely not when its most is beaten by as many rivals at their least as the largest quota.
    /// - Precondition: the method is entropy.
    /// - Complexity: O(N log N)
    package func undecided(
        original: EntropyInterval, removing: EntropyInterval, responseMask: [UInt8], rows: Rows
    ) -> Int {
        precondition(method == .entropy)
        let low = compare(TokenNumbers(original.upper), TokenNumbers(removing.lower), responseMask)
        let high = compare(TokenNumbers(original.lower), TokenNumbers(removing.upper), responseMask)
        return scopes(of: responseMask, rows).reduce(0) { count, range in
            count + undecided(in: range, low, high)
        }
    }

    private func undecided(in range: Range<Int>, _ low: Detection, _ high: Detection) -> Int {
        guard let least = low.score, let most = high.score else { return 0 }
        // A candidate at the least ΔH is one at any.
        let possible = range.filter { high.candidates[$0] == 1 }
        let sure = range.filter { low.candidates[$0] == 1 }
        let rivalsAtMost = possible.map { most[$0] }.sorted()
        let rivalsAtLeast = sure.map { least[$0] }.sorted()
        let (fewest, largest) = (keep(of: sure.count), keep(of: possible.count))
        return possible.count { token in
            if low.candidates[token] == 1 {
                // The token is one of its own rivals where its bounds differ, or where a tie counts.
                let itself = ties == .first || most[token] > least[token] ? 1 : 0
                let above = rivals(in: rivalsAtMost, above: least[token], orEqual: ties == .first) - itself
                if above < fewest { return false }
            }
            return rivals(in: rivalsAtLeast, above: most[token], orEqual: false) < largest
        }
    }

    /// How many of the ascending scores beat this one.
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
