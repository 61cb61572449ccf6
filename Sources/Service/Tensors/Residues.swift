import Tensor

/// Numbers that are beyond their domain by no more than the rounding of the type they were computed in: entropies that come
/// out below 0, log-probabilities above 0.
struct Residues: Sendable, Equatable {
    /// Counted as 0.
    private(set) var negativeEntropies = 0
    /// Kept as they are.
    private(set) var positiveLogProbabilities = 0

    mutating func count(_ domain: TensorSpec.Domain) {
        switch domain {
        case .any: break
        case .entropy: negativeEntropies += 1
        case .logProbability: positiveLogProbabilities += 1
        }
    }

    /// In nats. log-sum-exp − z of logits near 30 is a difference of numbers that BF16 keeps to 1/8 and F16 to 1/64; of
    /// wider types it allows for the same in Float32, whose results they often carry.
    static func tolerance(_ type: ElementType) -> Double {
        switch type {
        case .bfloat16: 0.25
        case .float16: 0.0625
        case .float32, .float64, .bool, .uint8, .int8, .int16, .uint16, .int32, .uint32, .int64, .uint64: 1e-3
        }
    }
}
