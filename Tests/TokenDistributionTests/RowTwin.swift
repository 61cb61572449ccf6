import Glibc

/// Whether a value is `tolerance` beside an expected one, of which larger ones count by their size. An infinite one must be
/// met: beside infinity every number would be within the tolerance.
func isNear(_ value: Double, _ expected: Double, _ tolerance: Double) -> Bool {
    expected.isInfinite ? value == expected : abs(value - expected) <= tolerance * max(1, abs(expected))
}

/// Log-sum-exp and entropy of a row in the obvious way, in Double, two passes; sums by Kahan so that the twin's own
/// rounding stays out of the comparison.
struct RowTwin {
    let logSumExp: Double
    let entropy: Double

    init(_ logits: [Double], temperature: Double) {
        // Relative to the maximum, which also cancels exactly where logits are so large that a logarithm vanishes beside them.
        let maximum = logits.max() ?? -.infinity
        let differences = logits.map { ($0 - maximum) / temperature }
        let logSum = log(RowTwin.sum(differences.map { exp($0) }))
        logSumExp = maximum / temperature + logSum
        // −Σ p log p, where p log p is 0 at 0.
        entropy = -RowTwin.sum(
            differences.map { exp($0 - logSum) == 0 ? 0 : exp($0 - logSum) * ($0 - logSum) })
    }

    static func sum(_ values: [Double]) -> Double {
        var sum = 0.0
        var lost = 0.0
        for value in values {
            let corrected = value - lost
            let next = sum + corrected
            lost = (next - sum) - corrected
            sum = next
        }
        return sum
    }
}
