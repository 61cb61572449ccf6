import Tensor

/// The counts of numbers that exceed their domain by no more than the rounding of the type in which they were computed:
/// entropies below 0, and log-probabilities above 0.
struct Residues: Sendable, Equatable {
    /// Entropies below 0. They count as 0.
    private(set) var negativeEntropies = 0
    /// Log-probabilities above 0. They are kept as they are.
    private(set) var positiveLogProbabilities = 0

    mutating func count(_ domain: TensorSpec.Domain) {
        switch domain {
        case .any: break
        case .entropy: negativeEntropies += 1
        case .logProbability: positiveLogProbabilities += 1
        }
    }

    /// Returns the tolerance for a type in nats. For logits near 30, log-sum-exp − z is a difference of numbers that
    /// BF16 represents to 1/8 and F16 to 1/64. The tolerance of wider types is that of Float32, because they often
    /// carry its results.
    static func tolerance(_ type: ElementType) -> Double {
        switch type {
        case .bfloat16: 0.25
        case .float16: 0.0625
        case .float32, .float64, .bool, .uint8, .int8, .int16, .uint16, .int32, .uint32, .int64, .uint64: 1e-3
        }
    }
}
