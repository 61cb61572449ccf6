import Batches
import ContrastiveLoss
import Perception
import TokenDistribution

/// The entropies of the two views that the detector compares, and their bounds if only the likeliest tokens are known.
struct ViewEntropies {
    /// [N] in nats.
    private(set) var values = PerView<TokenNumbers?>(repeating: nil)
    private(set) var bounds = PerView<EntropyBoundColumns?>(repeating: nil)

    mutating func set(_ view: View, _ entropy: TokenNumbers?) { values[view] = entropy }

    mutating func set(_ view: View, _ bounds: EntropyBoundColumns, _ options: EntropyBoundOptions) {
        self.bounds[view] = bounds
        values[view] = TokenNumbers(options.entropy(bounds))
    }

    /// Returns the number of response tokens that the bounds leave undecided; nil if every entropy is exact.
    func undecided(_ detector: PerceptionDetector, _ batch: TokenBatch) -> Int? {
        guard View.allCases.contains(where: { bounds[$0] != nil }), let original = interval(.original),
            let removing = interval(.removing)
        else { return nil }
        return detector.undecided(
            original: original, removing: removing, responseMask: batch.viewedMask, sequences: batch.sequences
        )
    }

    private func interval(_ view: View) -> EntropyInterval? {
        if let bounds = bounds[view] { return EntropyInterval(lower: bounds.lower, upper: bounds.upper) }
        return values[view].map { EntropyInterval(lower: $0.doubles, upper: $0.doubles) }
    }
}

extension TokenTensors {
    /// Checks that the options of entropy bounds are given if they are needed, and have an effect.
    /// - Parameter isUsed: whether an entropy is derived from the likeliest tokens.
    mutating func checkBounds(_ options: EntropyBoundOptions, isUsed: Bool, temperature: Double = 1) {
        if isUsed {
            if options.vocabulary == nil, !isEmpty {
                faults.add(
                    .missingField,
                    Problem.Reason(
                        "required to bound an entropy: the other tokens share the remaining probability",
                        field: "vocabulary_size"))
            }
            if temperature != 1 {
                faults.add(
                    .conflictingFields,
                    Problem.Reason(
                        "the likeliest tokens alone cannot be rescaled to another temperature",
                        field: "temperature")
                )
            }
            return
        }
        if isEmpty || isWithoutViews { return }
        let vain = [
            ("vocabulary_size", options.vocabulary != nil), ("entropy_from", options.choice != .middle),
        ]
        for (name, isGiven) in vain where isGiven {
            faults.add(
                .conflictingFields,
                Problem.Reason("it has no effect: no entropy is derived from top_log_probs", field: name))
        }
    }
}
