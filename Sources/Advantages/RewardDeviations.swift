/// The deviation of each reward of a group from the group's mean.
///
/// A deviation that is 0 except for rounding must not open a gate, in any order of the group. Therefore the mean is
/// that of the exact sum, and a deviation of at most `residue` units in the last place of the largest reward counts as
/// 0.
struct RewardDeviations {
    /// r − mean, times `scale`.
    let scaled: [Double]
    /// A power of two that brings the largest reward near 1, so that squares neither overflow nor vanish.
    let scale: Double

    /// In units in the last place of the group's largest magnitude. For example, 0.1 + 0.2 is one unit away from 0.3.
    private static let residue = 4.0

    /// Creates the deviations of a group, or nil if it has no spread: one member, or equal rewards.
    /// - Complexity: O(rewards)
    init?(_ rewards: [Double]) {
        let largest = rewards.lazy.map(\.magnitude).max() ?? 0
        guard rewards.count > 1, largest > 0 else { return nil }
        let scale = Double(sign: .plus, exponent: max(-1022, min(1022, -largest.exponent)), significand: 1)
        let values = rewards.map { $0 * scale }
        let mean = ExactSum(values).divided(by: Double(values.count))
        let limit = RewardDeviations.residue * (largest * scale).ulp
        let deviations = values.map { value in
            let deviation = (value - mean.high) - mean.low
            return deviation.magnitude <= limit ? 0 : deviation
        }
        guard deviations.contains(where: { $0 != 0 }) else { return nil }
        scaled = deviations
        self.scale = scale
    }
}

/// A sum of Doubles as high + low, with twice the digits of a Double. The order of the values does not affect any digit
/// that a Double keeps.
///
/// Source: Dekker's and Knuth's error-free sum, as in Ogita, Rump & Oishi, "Accurate Sum and Dot Product" (2005).
struct ExactSum {
    private(set) var high = 0.0
    private(set) var low = 0.0

    init(_ values: [Double]) {
        for value in values {
            let sum = high + value
            let rounded = sum - high
            let error = (high - (sum - rounded)) + (value - rounded)
            let rest = low + error
            high = sum + rest
            low = rest - (high - sum)
        }
    }

    private init(high: Double, low: Double) {
        self.high = high
        self.low = low
    }

    func divided(by divisor: Double) -> ExactSum {
        let quotient = high / divisor
        // Exact: high − quotient · divisor with one rounding.
        let remainder = high.addingProduct(-quotient, divisor)
        return ExactSum(high: quotient, low: (remainder + low) / divisor)
    }
}
