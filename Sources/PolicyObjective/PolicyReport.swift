package import ContrastiveLoss

/// What a policy loss yields, all of it in Double.
package struct PolicyReport: Sendable, Equatable {
    package struct Component: Sendable, Equatable {
        package var aggregated: AggregatedLoss
        /// [N]: ∂aggregated.loss/∂(log-probability), what a token weighs included; 0 outside the response.
        package var gradient: [Double]
    }

    /// `policy_loss`; nil without a surrogate.
    package var policy: Component?
    /// Share of response tokens whose clipped branch is strictly the larger; 0 of no tokens, nil without a surrogate.
    package var clipFraction: Double?
    /// `kl`, before its coefficient; nil without a penalty.
    package var kl: Component?
    package var klCoefficient: Double

    init(klCoefficient: Double) { self.klCoefficient = klCoefficient }

    /// policy_loss + kl_coefficient · kl, absent components 0.
    package var loss: Double {
        (policy?.aggregated.loss ?? 0) + klCoefficient * (kl?.aggregated.loss ?? 0)
    }

    /// Adds scale · ∂(policy_loss + kl_coefficient · kl)/∂(log-probability) to a list over N.
    /// - Complexity: O(N)
    package func addGradient(to gradient: inout [Double], scale: Double = 1) {
        if let policy { add(policy.gradient, times: scale, to: &gradient) }
        // Without a coefficient the penalty is only watched.
        if let kl, klCoefficient != 0 { add(kl.gradient, times: scale * klCoefficient, to: &gradient) }
    }

    private func add(_ part: [Double], times factor: Double, to gradient: inout [Double]) {
        precondition(part.count == gradient.count)
        let part = part.span
        var sum = gradient.mutableSpan
        for token in 0..<sum.count { sum[token] += factor * part[token] }
    }
}
