/// What a row of logits says, in nats.
package struct RowSummary: Sendable, Equatable {
    /// A logit near the top, before the division by temperature.
    let peak: Double
    let temperature: Double
    /// log Σ e^{(z − peak)/T}
    let logSum: Double
    package let entropy: Double

    package init(peak: Double, temperature: Double, logSum: Double, entropy: Double) {
        self.peak = peak
        self.temperature = temperature
        self.logSum = logSum
        self.entropy = entropy
    }

    /// That of a row nobody looked at.
    package static let none = RowSummary(peak: 0, temperature: 1, logSum: 0, entropy: 0)

    package var logSumExp: Double { peak / temperature + logSum }

    /// log softmax of a token whose logit is z.
    ///
    /// The difference is taken first: of logits of 1e16, z/T − log-sum-exp has no digits left, and z/T itself may overflow.
    /// A certain token has exactly 0, and not a rounding residue whose sign an |a − p| would take for a direction.
    package func logProbability(ofLogit logit: Double) -> Double {
        min(0, (logit - peak) / temperature - logSum)
    }
}
