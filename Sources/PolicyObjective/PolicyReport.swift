package import ContrastiveLoss

/// The results of a policy loss, all of them in Double.
package struct PolicyReport: Sendable, Equatable {
    package struct Component: Sendable, Equatable {
        package var aggregated: AggregatedLoss
        /// [N]: ∂aggregated.loss/∂(log-probability), including the weight of the token; 0 outside the response.
        package var gradient: [Double]
    }

    /// `policy_loss`; nil without a surrogate.
    package var policy: Component?
    /// The share of response tokens whose clipped branch is strictly larger; 0 without tokens, nil without a surrogate.
    package var clipFraction: Double?
    /// `kl`, before its coefficient; nil without a penalty.
    package var kl: Component?
    package var klCoefficient: Double

    init(klCoefficient: Double) { self.klCoefficient = klCoefficient }

    /// policy_loss + kl_coefficient · kl. Absent components count as 0.
    package var loss: Double {
        (policy?.aggregated.loss ?? 0) + klCoefficient * (kl?.aggregated.loss ?? 0)
    }

    /// Adds scale · ∂(policy_loss + kl_coefficient · kl)/∂(log-probability) to a list over N.
    /// - Complexity: O(N)
    package func addGradient(to gradient: inout [Double], scale: Double = 1) {
        if let policy { add(policy.gradient, times: scale, to: &gradient) }
        // With a coefficient of 0, the penalty is only reported.
        if let kl, klCoefficient != 0 { add(kl.gradient, times: scale * klCoefficient, to: &gradient) }
    }

    private func add(_ part: [Double], times factor: Double, to gradient: inout [Double]) {
        precondition(part.count == gradient.count)
        let part = part.span
        var sum = gradient.mutableSpan
        for token in 0..<sum.count { sum[token] += factor * part[token] }
    }
}
