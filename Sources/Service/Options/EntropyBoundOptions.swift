import JSON
import TokenDistribution

/// The options that derive entropies from the log-probabilities of the likeliest tokens.
struct EntropyBoundOptions: Sendable, Equatable {
    enum Choice: String, Sendable, CaseIterable {
        case middle
        case lower
        case upper
    }

    /// V. Required if the request has such lists.
    var vocabulary: Int?
    /// The number between the bounds that counts as the entropy, the same for every view.
    var choice = Choice.middle

    /// [N] in nats.
    func entropy(_ bounds: EntropyBoundColumns) -> [Double] {
        switch choice {
        case .middle: bounds.middle
        case .lower: bounds.lower
        case .upper: bounds.upper
        }
    }
}

let entropyBoundOptions: [Option<EntropyBoundOptions>] = [
    .count("vocabulary_size", \.vocabulary, to: 1 << 30),
    .choice("entropy_from", \.choice),
]
