import Glibc

/// The least and the greatest entropy, in nats, that a token's distribution can have when only its k best
/// log-probabilities are known.
///
/// With p the known probabilities, k′ of them, r = 1 − Σ p what is left for the V − k′ others, c the least of the k best,
/// which none of the others exceeds, and h(x) = −x ln x:
/// - upper = Σ h(p) + r ln((V − k′)/r): the others are all equal;
/// - lower = Σ h(p) + m h(c) + h(r − m c), m = ⌊r/c⌋: as many of them as fit have c, one has what is left, none else has
///   anything. Entropy is concave, so its least value lies at such a corner.
///
/// Both are attained, so no narrower interval is right for every distribution. The bounds hold up to 1e-9 for exact
/// log-probabilities, and up to their rounding otherwise.
package struct EntropyBounds: Sendable, Equatable {
    package let lower: Double
    package let upper: Double
    /// The mean of both: at most half the interval away from the entropy.
    package var middle: Double { lower + (upper - lower) / 2 }

    /// Probabilities that add up to more are none. Rounding in half precision reaches the first thousandth.
    package static let largestSum = 1.001
    /// A log-probability this small is an engine's way to write −inf: vLLM has −9999, some clients −99999.
    package static let impossible = -9999.0
    /// As far as sums may exceed 1, they may fall short of it.
    private static let slack = largestSum - 1
    /// Where every token is known nothing can be left, but for rounding: as far as bfloat16 reaches.
    private static let slackOfAll = 0.01

    package init(lower: Double, upper: Double) {
        self.lower = lower
        self.upper = upper
    }

    /// - Parameters:
    ///   - best: the k largest log-probabilities, [k], in any order. −inf, or ``impossible`` and less, stands for an
    ///     entry that is absent.
    ///   - realised: the token that the response has there.
    ///   - vocabulary: V, the number of tokens.
    /// - Complexity: O(k) time, O(1) memory.
    package init(
        best: Span<Double>, realised: RealisedToken = .listed, vocabulary: Int
    ) throws(EntropyBoundsError) {
        let list = try BestList(best)
        var known = list.count
        // 1 − p of the likeliest token keeps its digits where p is almost 1, and so does what the others leave of it.
        var rest = CompensatedSum(-expm1(list.largest))
        var entropy = CompensatedSum(0)
        entropy.add(-list.largest * exp(list.largest))
        for entry in best.indices where entry != list.likeliest && best[entry] > EntropyBounds.impossible {
            let probability = exp(best[entry])
            rest.add(-probability)
            entropy.add(-best[entry] * probability)
        }
        if let further = try list.further(realised, among: best) {
            known += 1
            rest.add(-exp(further))
            entropy.add(-further * exp(further))
        }

        let missing = rest.value
        guard missing >= 1 - EntropyBounds.largestSum else { throw .sumTooLarge(1 - missing) }
        let others = Double(vocabulary) - Double(known)
        let ceiling = exp(list.smallest)
        let slack = others == 0 ? EntropyBounds.slackOfAll : EntropyBounds.slack
        guard others >= 0, missing <= others * ceiling + slack else {
            throw .vocabularyTooSmall(
                vocabulary, known: known, rest: missing, largest: max(0, others * ceiling))
        }
        // What is missing beyond the room of the others is rounding of the known.
        let spread = min(missing, others * ceiling)
        guard spread > 0 else {
            self.init(lower: entropy.value, upper: entropy.value)
            return
        }
        let upper = entropy.value + spread * log(others / spread)
        let full = (spread / ceiling).rounded(.down)
        let left = max(0, spread.addingProduct(-full, ceiling))
        let lower = entropy.value + full * ceiling * -list.smallest + (left > 0 ? -left * log(left) : 0)
        // Equal but for rounding where the others have no freedom.
        self.init(lower: min(lower, upper), upper: upper)
    }
}

/// The extremes of a checked list.
private struct BestList {
    var smallest = Double.infinity
    var largest = -Double.infinity
    /// Where the largest stands.
    var likeliest = 0
    var count = 0

    init(_ best: Span<Double>) throws(EntropyBoundsError) {
        for entry in best.indices {
            let value = best[entry]
            guard value <= 0 else { throw .notALogProb(value, entry: entry) }
            guard value > EntropyBounds.impossible else { continue }
            count += 1
            smallest = min(smallest, value)
            if value > largest { (largest, likeliest) = (value, entry) }
        }
        guard count > 0 else { throw .noEntries }
    }

    /// The realised token's log-probability when it is a further known token.
    func further(_ realised: RealisedToken, among best: Span<Double>) throws(EntropyBoundsError) -> Double? {
        let logProb: Double
        let hasIdentity: Bool
        switch realised {
        case .listed: return nil
        case .outside(let value): (logProb, hasIdentity) = (value, true)
        case .unidentified(let value): (logProb, hasIdentity) = (value, false)
        }
        guard logProb <= 0, logProb > EntropyBounds.impossible else {
            throw .notALogProb(logProb, entry: nil)
        }
        if hasIdentity, logProb <= smallest + RealisedToken.tolerance { return logProb }
        if !hasIdentity {
            // The k-th itself, rounded apart, must not be counted twice.
            if logProb < smallest - RealisedToken.tolerance { return logProb }
            for entry in best.indices where abs(best[entry] - logProb) <= RealisedToken.tolerance {
                return nil
            }
        }
        throw .notTheBest(realised: logProb, smallest: smallest)
    }
}

/// A sum that carries what rounding lost (Neumaier, 1974).
private struct CompensatedSum {
    private var sum: Double
    private var lost = 0.0

    init(_ value: Double) { sum = value }

    var value: Double { sum + lost }

    mutating func add(_ term: Double) {
        let next = sum + term
        lost += abs(sum) >= abs(term) ? (sum - next) + term : (term - next) + sum
        sum = next
    }
}
