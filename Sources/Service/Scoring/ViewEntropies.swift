import Batches
import ContrastiveLoss
import Perception
import TokenDistribution

/// The entropies of both views that the detector compares, and their bounds where only the likeliest tokens are known.
struct ViewEntropies {
    /// [N] in nats.
    private(set) var values = PerView<TokenNumbers?>(repeating: nil)
    private(set) var bounds = PerView<EntropyBoundColumns?>(repeating: nil)

    mutating func set(_ view: View, _ entropy: TokenNumbers?) { values[view] = entropy }

    mutating func set(_ view: View, _ bounds: EntropyBoundColumns, _ options: EntropyBoundOptions) {
        self.bounds[view] = bounds
        values[view] = TokenNumbers(options.entropy(bounds))
    }

    /// Response tokens that the bounds leave open; nil where every entropy is exact.
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
    /// What bounds need beside the lists, and what is given in vain.
    /// - Parameter isUsed: whether an entropy is had from the likeliest tokens.
    mutating func checkBounds(_ options: EntropyBoundOptions, isUsed: Bool, temperature: Double = 1) {
        if isUsed {
            if options.vocabulary == nil, !isEmpty {
                faults.add(
                    .missingField,
                    Problem.Reason(
                        "the rest of the vocabulary shares the probability that the likeliest tokens leave",
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
