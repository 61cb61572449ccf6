/// Why k log-probabilities bound no entropy.
package enum EntropyBoundsError: Error, Sendable, Equatable {
    /// No entry of the list has a probability.
    case noEntries
    /// NaN or above 0. `entry` is the place in the list; nil means the realised token, which cannot be −inf either.
    case notALogProb(Double, entry: Int?)
    /// The probabilities add up to more than ``EntropyBounds/largestSum``: raw logits, say, or processed values.
    case sumTooLarge(Double)
    /// The realised token is likelier than the least of the list and yet not in it.
    case notTheBest(realised: Double, smallest: Double)
    /// So many tokens are known; the others together have probability `rest`, and can have `largest` at most.
    case vocabularyTooSmall(Int, known: Int, rest: Double, largest: Double)
}

extension EntropyBoundsError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noEntries: "no entry has a log-prob above that of probability 0"
        case .notALogProb(let value, let entry):
            "\(value) is no log-prob of \(entry.map { "entry \($0)" } ?? "the realised token")"
        case .sumTooLarge(let sum): "the probabilities add up to \(sum), so these are no log-probs"
        case .notTheBest(let realised, let smallest):
            "the realised token has log-prob \(realised), which is above the smallest of the list, \(smallest), "
                + "and not in the list: it doesn't hold the best"
        case .vocabularyTooSmall(let vocabulary, let known, let rest, let largest):
            "a vocabulary of \(vocabulary) is too small: beyond the \(known) known tokens it leaves room for "
                + "probability \(largest), and \(rest) is missing"
        }
    }
}
